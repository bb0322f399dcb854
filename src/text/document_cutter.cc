#include "text/document_cutter.h"

#include <algorithm>

#include "text/cutter.h"
#include "text/utf8.h"

namespace anabranch {
namespace {

constexpr std::string_view kSpace = " \t\r\n\f\v";
constexpr size_t kNone = std::string_view::npos;
// Of a heading, its underline, a line that opens a fence. What is longer is text.
constexpr size_t kLongestMark = 1024;

std::string_view Trimmed(std::string_view text) {
  const size_t begin = text.find_first_not_of(kSpace);
  if (begin == kNone) return {};
  return text.substr(begin, text.find_last_not_of(kSpace) + 1 - begin);
}

bool IsBlank(std::string_view line) { return line.find_first_not_of(kSpace) == kNone; }

size_t Indent(std::string_view line) { return std::min(line.find_first_not_of(' '), line.size()); }

// How often `mark` stands at the front.
size_t Run(std::string_view text, char mark) {
  return std::min(text.find_first_not_of(mark), text.size());
}

// The longest beginning of at most `size` bytes that cuts no character.
size_t CharacterBorder(std::string_view text, size_t size) {
  if (text.size() <= size) return text.size();
  size_t from = size;  // of the character that the border may be in
  while (from > 0 && size - from < 3 && ContinuesCharacter(text[from])) --from;
  const Utf8Part part = NextUtf8(text.substr(from));
  const bool cut = part.kind == Utf8Kind::kCharacter && part.size > size - from;
  return cut && from > 0 ? from : size;
}

// 1 to 6 of a line "## Text ##"; 0: it is none.
int AtxLevel(std::string_view line) {
  const size_t indent = Indent(line);
  if (indent > 3 || line.size() > kLongestMark) return 0;
  const size_t marks = Run(line.substr(indent), '#');
  const bool ends = indent + marks == line.size() || kSpace.find(line[indent + marks]) != kNone;
  return marks >= 1 && marks <= 6 && ends ? static_cast<int>(marks) : 0;
}

std::string_view AtxText(std::string_view line) {
  std::string_view text = Trimmed(line);
  text = Trimmed(text.substr(Run(text, '#')));
  const size_t last = text.find_last_not_of('#');  // a closing run stands behind a space
  if (last == kNone) return {};
  const bool closes = last + 1 < text.size() && kSpace.find(text[last]) != kNone;
  return closes ? Trimmed(text.substr(0, last)) : text;
}

// 1 of a line of "=", 2 of one of "-": under a paragraph it makes that a heading. 0: neither.
int SetextLevel(std::string_view line) {
  const std::string_view marks = Trimmed(line);
  if (Indent(line) > 3 || marks.empty() || line.size() > kLongestMark) return 0;
  if (marks.find_first_not_of('=') == kNone) return 1;
  return marks.find_first_not_of('-') == kNone ? 2 : 0;
}

// True of a line that begins no paragraph: of a list, a quotation, a table, indented code.
bool BeginsOther(std::string_view line) {
  const size_t indent = Indent(line);
  const std::string_view text = Trimmed(line);
  if (indent > 3 || line.starts_with('\t')) return true;
  if (text.starts_with('>') || text.starts_with('|')) return true;
  const size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
  if (digits == text.size()) return false;
  const std::string_view marks = digits == 0 ? "-+*" : ".)";
  return marks.find(text[digits]) != kNone &&
         (digits + 1 == text.size() || kSpace.find(text[digits + 1]) != kNone);
}

// YAML or TOML before the document; 0: there is none.
size_t FrontMatterSize(std::string_view text) {
  const auto line_end = [&](size_t begin) {
    const size_t end = text.find('\n', begin);
    return end == kNone ? text.size() : end + 1;
  };
  const auto line = [&](size_t begin) {
    const std::string_view whole = text.substr(begin, line_end(begin) - begin);
    return whole.substr(0, std::min(whole.find_last_not_of(kSpace), whole.size() - 1) + 1);
  };
  const std::string_view mark = line(0);
  if (mark != "---" && mark != "+++") return 0;
  size_t at = line_end(0);
  if (at < text.size() && IsBlank(line(at))) return 0;  // a rule, and a paragraph behind it
  for (; at < std::min(text.size(), DocumentCutter::kMaxPieceBytes); at = line_end(at)) {
    const std::string_view here = line(at);
    if (here != mark && (mark != "---" || here != "...")) continue;
    size_t end = line_end(at);
    while (end < text.size() && IsBlank(text.substr(end, line_end(end) - end)) &&
           line_end(end) <= DocumentCutter::kMaxPieceBytes) {
      end = line_end(end);
    }
    return end <= DocumentCutter::kMaxPieceBytes ? end : 0;
  }
  return 0;
}

// Where to cut a block that is longer than a piece: its first `lead` bytes stay whole.
size_t CutInside(std::string_view text, size_t lead) {
  const std::string_view window =
      text.substr(0, CharacterBorder(text, DocumentCutter::kPieceBytes));
  const size_t least = std::max(lead + 1, window.size() / 2);
  const std::vector<ByteSpan> sentences = CutSentences(window);
  if (const auto last = static_cast<size_t>(sentences.back().begin); last >= least) return last;
  for (const char border : {'\n', ' '}) {
    const size_t at = window.rfind(border);
    if (at != kNone && at + 1 >= least) return at + 1;
  }
  return std::max(window.size(), size_t{1});
}

}  // namespace

// One piece, line by line.
class DocumentCutter::Scan {
 public:
  Scan(DocumentCutter* cutter, std::string_view ahead) : cutter_(*cutter), ahead_(ahead) {}

  size_t Size() {
    if (cutter_.markdown_ && cutter_.at_ == 0) {
      if (const size_t size = FrontMatterSize(ahead_); size > 0) return size;
    }
    content_ = in_fence();
    while (line_begin_ < ahead_.size()) {
      const size_t end = ahead_.find('\n', line_begin_);
      line_end_ = end == kNone ? ahead_.size() : end + 1;
      line_ = ahead_.substr(line_begin_, line_end_ - line_begin_);
      if (const size_t cut = BeforeLine(); cut > 0) return cut;
      line_begin_ = line_end_;
    }
    return ahead_.size();
  }

 private:
  static std::optional<Fence> OpeningFence(std::string_view line) {
    if (line.size() > kLongestMark) return std::nullopt;
    const std::string_view text = Trimmed(line);
    for (const char mark : {'`', '~'}) {
      const size_t size = Run(text, mark);
      if (size >= 3 && (mark == '~' || text.find('`', size) == kNone)) return Fence{mark, size};
    }
    return std::nullopt;
  }

  bool in_fence() const { return cutter_.fence_.has_value(); }

  // Takes the line in; or, where the piece must end before its end, says where.
  size_t BeforeLine() {
    if (in_fence()) return InFence();
    if (IsBlank(line_)) {
      if (line_end_ > kMaxPieceBytes) return line_begin_ > 0 ? line_begin_ : CutInside(ahead_, 0);
      block_ = Block::kNone;
      return 0;
    }
    const bool begins = block_ == Block::kNone;
    if (begins && content_) border_ = line_begin_;
    if (cutter_.markdown_) {
      if (const int level = AtxLevel(line_); level > 0) {
        return OnHeading(level, line_begin_, AtxText(line_));
      }
      const int level = block_ == Block::kParagraph ? SetextLevel(line_) : 0;
      if (level > 0 && line_begin_ - paragraph_ <= kLongestMark) return OnSetext(level);
      if (const std::optional<Fence> fence = OpeningFence(line_)) return OnFence(*fence);
    }
    if (line_end_ > kPieceBytes) return AtLimit();
    if (begins) {
      block_ = BeginsOther(line_) ? Block::kOther : Block::kParagraph;
      paragraph_ = line_begin_;
      content_before_ = content_;
    }
    content_ = true;
    return 0;
  }

  // Text goes on beyond the size of a piece.
  size_t AtLimit() const {
    if (border_ > 0) return border_;
    if (!content_ && line_begin_ > 0) return line_begin_;  // headings alone
    return line_begin_ >= kPieceBytes ? line_begin_ : CutInside(ahead_, lead_);
  }

  size_t OnHeading(int level, size_t begin, std::string_view text) {
    if (content_) return begin;
    if (line_end_ > kPieceBytes && begin > 0) return begin;
    std::vector<Heading>& headings = cutter_.headings_;
    while (!headings.empty() && headings.back().level >= level) headings.pop_back();
    if (!text.empty()) {
      const int64_t at = cutter_.at_ + (text.data() - ahead_.data());
      headings.push_back(
          {level, at, std::string(text.substr(0, CharacterBorder(text, kMaxHeadingBytes)))});
    }
    lead_ = line_end_;
    block_ = Block::kNone;
    return 0;
  }

  size_t OnSetext(int level) {
    content_ = content_before_;
    return OnHeading(level, paragraph_,
                     Trimmed(ahead_.substr(paragraph_, line_begin_ - paragraph_)));
  }

  size_t OnFence(const Fence& fence) {
    if (content_ && line_end_ > kPieceBytes) return line_begin_;
    cutter_.fence_ = fence;
    fence_begin_ = line_begin_;
    fence_follows_ = content_;
    content_ = true;
    return 0;
  }

  // Code that does not fit behind what is before it gets a piece of its own.
  size_t InFence() {
    if (fence_follows_ && line_end_ > kPieceBytes) {
      cutter_.fence_.reset();
      return fence_begin_;
    }
    if (line_end_ > kMaxPieceBytes) {
      return line_begin_ > 0 ? line_begin_ : CutInside(ahead_, 0);
    }
    const std::string_view text = Trimmed(line_);
    const Fence& fence = *cutter_.fence_;
    if (!text.empty() && Run(text, fence.mark) == text.size() && text.size() >= fence.size) {
      cutter_.fence_.reset();
      block_ = Block::kNone;
    }
    return 0;
  }

  enum class Block { kNone, kParagraph, kOther };

  DocumentCutter& cutter_;
  std::string_view ahead_;
  std::string_view line_;
  size_t line_begin_ = 0, line_end_ = 0;
  size_t lead_ = 0;              // where the headings end that the piece begins with
  size_t border_ = 0;            // where the last block begins that has text before it; 0: nowhere
  bool content_ = false;         // there is text that is no heading
  Block block_ = Block::kNone;   // that the last line is of
  size_t paragraph_ = 0;         // where the last block began,
  bool content_before_ = false;  // and whether there was text before it
  size_t fence_begin_ = 0;
  bool fence_follows_ = false;  // there is text before the fence
};

size_t DocumentCutter::Next(std::string_view ahead) {
  const size_t size = Scan(this, ahead.substr(0, kLookAhead)).Size();
  at_ += static_cast<int64_t>(size);
  return size;
}

}  // namespace anabranch
