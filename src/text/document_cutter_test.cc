#include "text/document_cutter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <regex>

namespace anabranch {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

struct Piece {
  std::string text, path;  // "House > Boiler"
};

// Hands over `look_ahead` bytes at a time.
std::vector<Piece> Cut(std::string_view document, DocumentFormat format,
                       size_t look_ahead = DocumentCutter::kLookAhead) {
  DocumentCutter cutter(format);
  std::vector<Piece> pieces;
  for (size_t at = 0; at < document.size();) {
    const size_t size = cutter.Next(document.substr(at, look_ahead));
    Piece& piece = pieces.emplace_back(Piece{std::string(document.substr(at, size)), ""});
    at += size;
    for (const Heading& heading : cutter.headings()) {
      EXPECT_EQ(document.substr(static_cast<size_t>(heading.begin), heading.text.size()),
                heading.text);
      EXPECT_LE(static_cast<size_t>(heading.begin) + heading.text.size(), at);
      piece.path += (piece.path.empty() ? "" : " > ") + heading.text;
    }
  }
  return pieces;
}

std::vector<Piece> Markdown(std::string_view document) {
  return Cut(document, DocumentFormat::kMarkdown);
}
std::vector<Piece> Text(std::string_view document) { return Cut(document, DocumentFormat::kText); }

std::vector<std::string> Paths(const std::vector<Piece>& pieces) {
  std::vector<std::string> paths;
  for (const Piece& piece : pieces) paths.push_back(piece.path);
  return paths;
}
std::vector<std::string> Texts(const std::vector<Piece>& pieces) {
  std::vector<std::string> texts;
  for (const Piece& piece : pieces) texts.push_back(piece.text);
  return texts;
}

// n bytes of sentences, a line each of 60 bytes.
std::string Prose(size_t n) {
  std::string text;
  while (text.size() < n) text += "The river is wide here, and the ferry goes every full hour.\n";
  return text;
}

TEST(DocumentCutter, SectionsStandUnderTheirHeadings) {
  const auto pieces = Markdown(
      "# House\n\nIt is old.\n\n## Boiler\n\nSerial 4711.\n\n### Service\nIn May.\n"
      "## Garden ##\nGreen.\n# Car #1\nRed.\n");
  EXPECT_THAT(Paths(pieces), ElementsAre("House", "House > Boiler", "House > Boiler > Service",
                                         "House > Garden", "Car #1"));
  EXPECT_EQ(pieces[1].text, "## Boiler\n\nSerial 4711.\n\n");
}

TEST(DocumentCutter, HeadingsInARowStayWithTheTextUnderTheLast) {
  EXPECT_THAT(Texts(Markdown("# House\n\n## Boiler\n\n### Serial\n4711\n# Car\n")),
              ElementsAre("# House\n\n## Boiler\n\n### Serial\n4711\n", "# Car\n"));
  EXPECT_THAT(Paths(Markdown("# House\n\n## Boiler\n\n### Serial\n4711\n# Car\n")),
              ElementsAre("House > Boiler > Serial", "Car"));
}

TEST(DocumentCutter, SetextHeadingsAreHeadings) {
  const auto pieces = Markdown("House\n=====\nOld.\n\nThe \nBoiler\r\n---\r\nHot.\n");
  EXPECT_THAT(Paths(pieces), ElementsAre("House", "House > The \nBoiler"));
  EXPECT_EQ(pieces[1].text, "The \nBoiler\r\n---\r\nHot.\n");
}

TEST(DocumentCutter, WhatOnlyLooksLikeAHeadingIsText) {
  for (const char* text :
       {"#hashtag is none\n", "    # indented code\n", "####### seven\n", "\\# escaped\n",
        "- item\n---\n", "> quoted\n---\n", "\n---\n\nA rule.\n", "a | b\n--- | ---\n1 | 2\n",
        "1. one\n---\n", "text\n\n===\n", "```\n# comment\n```\n", "~~~sh\n# comment\n```\n~~~\n",
        "- item\n\n  ```\n  # comment\n  ```\n"}) {
    const auto pieces = Markdown(text);
    EXPECT_THAT(Paths(pieces), ElementsAre("")) << text;
  }
  EXPECT_THAT(Paths(Text("# House\n\nA text file.\n")), ElementsAre(""));
}

TEST(DocumentCutter, FrontMatterIsAPieceOfItsOwn) {
  const std::string front = "---\ntitle: House\n# comment\ntags: [a, b]\n---\n\n";
  const auto pieces = Markdown(front + "# House\nOld.\n");
  EXPECT_THAT(Texts(pieces), ElementsAre(front, "# House\nOld.\n"));
  EXPECT_THAT(Paths(pieces), ElementsAre("", "House"));
  EXPECT_THAT(Texts(Markdown("+++\nt = 1\n+++\nx\n")), ElementsAre("+++\nt = 1\n+++\n", "x\n"));
  // A rule, front matter that does not end, and text.
  EXPECT_THAT(Markdown("---\n\nHello.\n\n---\n\nBye.\n"), ::testing::SizeIs(1));
  EXPECT_THAT(Markdown("---\ntitle: House\n"), ::testing::SizeIs(1));
  EXPECT_THAT(Text(front), ::testing::SizeIs(1));
}

TEST(DocumentCutter, LongSectionsAreCutBetweenParagraphs) {
  const std::string paragraph = Prose(700) + "\n";
  const auto pieces = Markdown("# House\n\n" + paragraph + paragraph + paragraph + paragraph);
  EXPECT_THAT(Texts(pieces),
              ElementsAre("# House\n\n" + paragraph + paragraph, paragraph + paragraph));
  EXPECT_THAT(Paths(pieces), ElementsAre("House", "House"));
}

TEST(DocumentCutter, ALongParagraphIsCutBetweenSentencesAndAWordIsCutLast) {
  std::string one_line = Prose(5000);
  std::replace(one_line.begin(), one_line.end(), '\n', ' ');
  for (const Piece& piece : Text(one_line)) {
    EXPECT_LE(piece.text.size(), DocumentCutter::kPieceBytes);
    EXPECT_TRUE(piece.text.starts_with("The river")) << piece.text;
  }
  std::string words;
  while (words.size() < 5000) words += "ferry ";
  for (const Piece& piece : Text(words)) EXPECT_TRUE(piece.text.starts_with("ferry"));
  std::string word;
  while (word.size() < 7001) word += "日本";
  auto pieces = Text(word);
  pieces.pop_back();
  for (const Piece& piece : pieces) {
    EXPECT_EQ(piece.text.size() % 3, 0u);
    EXPECT_GT(piece.text.size(), DocumentCutter::kPieceBytes - 3);
  }
}

TEST(DocumentCutter, FencedCodeIsKeptWhole) {
  const std::string code = "```sh\n# no heading\n\n" + Prose(3000) + "\n# nor this\n```\n";
  const std::string before = Prose(1000) + "\n";
  const auto pieces = Markdown("# Code\n" + before + code + "# After\nDone.\n");
  EXPECT_THAT(Texts(pieces), ElementsAre("# Code\n" + before, code, "# After\nDone.\n"));
  EXPECT_THAT(Paths(pieces), ElementsAre("Code", "Code", "After"));
  EXPECT_THAT(Markdown("# Code\n" + code), ::testing::SizeIs(1));
}

TEST(DocumentCutter, CodeThatIsTooLongIsCutBetweenLinesAndStaysCode) {
  const std::string code = "```\n" + Prose(20000) + "# no heading\n```\n";
  const auto pieces = Markdown(code + "# After\n");
  EXPECT_EQ(pieces.size(), 4u);
  for (const Piece& piece : pieces) {
    EXPECT_LE(piece.text.size(), DocumentCutter::kMaxPieceBytes);
    EXPECT_TRUE(piece.text.ends_with('\n'));
  }
  EXPECT_EQ(pieces.back().path, "After");
  // One that nothing closes is code up to the end.
  for (const Piece& piece : Markdown("```\n" + Prose(20000) + "\n# no heading\n")) {
    EXPECT_EQ(piece.path, "");
  }
}

TEST(DocumentCutter, MarksOfAnySizeAreBounded) {
  const size_t many = 3 * DocumentCutter::kLookAhead;
  std::string headings;
  while (headings.size() < many) headings += "# H\n";
  for (const std::string& text :
       {std::string(many, '#'), "# " + std::string(many, 'x') + "\ny", std::string(many, '`'),
        "```" + std::string(many, 'x'), "x\n" + std::string(many, '='), std::string(many, '\n'),
        std::string(many, ' '), "---\n" + std::string(many, '-'), std::string(many, '\r'),
        std::string(many, '\xff'), std::string(many, '\x80'), headings, "x\n" + headings}) {
    for (const DocumentFormat format : {DocumentFormat::kText, DocumentFormat::kMarkdown}) {
      std::string joined;
      for (const Piece& piece : Cut(text, format)) {
        EXPECT_LE(piece.text.size(), DocumentCutter::kMaxPieceBytes);
        joined += piece.text;
      }
      EXPECT_EQ(joined, text);
    }
  }
  const auto pieces = Markdown("# " + std::string(500, 'x') + "\nText.\n");
  EXPECT_THAT(Paths(pieces), ElementsAre(std::string(DocumentCutter::kMaxHeadingBytes, 'x')));
}

TEST(DocumentCutter, AMatchingFenceOfAnotherKindDoesNotCloseIt) {
  EXPECT_THAT(Paths(Markdown("````\n```\n# no\n```\n````\n# Yes\nx\n")), ElementsAre("", "Yes"));
  EXPECT_THAT(Paths(Markdown("``` a`b\n# Yes\nx\n")), ElementsAre("", "Yes"));
}

// Of pieces that documents are made of; some longer than the limits.
rc::Gen<std::string> Documents() {
  const auto part = rc::gen::element<std::string>(
      "# House\n", "## Boiler\n", "###  \n", "Title\n===\n", "Sub\r\n---\r\n", "\n", "\r\n",
      "The spare key hangs behind the barometer. ", "日本語の文。", "```\n", "~~~~ sh\n",
      "- item\n", "    code\n", "> quoted\n", "| a | b |\n", "\xff\xfe", std::string("a\0b", 3),
      "---\n", "word", "\t", std::string(700, 'y'), Prose(900), std::string(2500, 'z'),
      std::string(300, '\n'));
  return rc::gen::map(rc::gen::container<std::vector<std::string>>(part),
                      [](const std::vector<std::string>& parts) {
                        std::string text;
                        for (const std::string& each : parts) text += each;
                        return text;
                      });
}

// Bytes [begin, end) of fenced code, by a plain reading of its lines.
std::vector<std::pair<size_t, size_t>> Fences(const std::string& document) {
  const std::regex mark("\\s*(`{3,}|~{3,})(.*?)\\s*");
  std::vector<std::pair<size_t, size_t>> fences;
  std::string open;
  for (size_t at = 0, end = 0; at < document.size(); at = end) {
    end = std::min(document.find('\n', at), document.size() - 1) + 1;
    const std::string line = document.substr(at, end - at);
    std::smatch match;
    const bool is_mark = line.size() < 100 && std::regex_match(line, match, mark);
    if (open.empty() && is_mark && (match[1].str()[0] == '~' || match[2].str().find('`') > 999)) {
      open = match[1];
      fences.emplace_back(at, document.size());
    } else if (!open.empty() && is_mark && match[2].length() == 0 &&
               match[1].str().starts_with(open)) {
      open.clear();
      fences.back().second = end;
    }
  }
  return fences;
}

RC_GTEST_PROP(DocumentCutterProperty, CodeThatFitsIsNotCut, ()) {
  const std::string document = "Text.\n" + *Documents();
  const std::vector<std::pair<size_t, size_t>> fences = Fences(document);
  size_t border = 0;
  for (const Piece& piece : Markdown(document)) {
    border += piece.text.size();
    for (const auto& [begin, end] : fences) {
      RC_ASSERT(border <= begin || border >= end || end - begin > DocumentCutter::kPieceBytes);
    }
  }
}

RC_GTEST_PROP(DocumentCutterProperty, NothingIsLostAndBoundsHold, (bool is_markdown)) {
  const std::string document = *Documents();
  const DocumentFormat format = is_markdown ? DocumentFormat::kMarkdown : DocumentFormat::kText;
  const std::vector<Piece> pieces = Cut(document, format);
  // However much is handed over beyond what the cutter asks for.
  const std::vector<Piece> whole = Cut(document, format, document.size() + 1);
  RC_ASSERT(Texts(pieces) == Texts(whole));
  RC_ASSERT(Paths(pieces) == Paths(whole));
  std::string joined;
  for (const Piece& piece : pieces) {
    RC_ASSERT(!piece.text.empty());
    RC_ASSERT(piece.text.size() <= DocumentCutter::kMaxPieceBytes);
    // A border cuts no character.
    if (!joined.empty() && static_cast<unsigned char>(piece.text[0] & 0xC0) == 0x80) {
      RC_ASSERT(static_cast<unsigned char>(joined.back()) < 0x80);
    }
    joined += piece.text;
  }
  RC_ASSERT(joined == document);
}

}  // namespace
}  // namespace anabranch
