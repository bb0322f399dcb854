// The line editor of chat: libedit, with bracketed paste and an interruptible read.
#include <histedit.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cwchar>
#include <filesystem>
#include <string>
#include <string_view>

#include "cli/chat_input.h"
#include "cli/interrupt.h"

namespace anabranch::cli {
namespace {

constexpr int kHistorySize = 1000;
constexpr const char* kPasteOn = "\033[?2004h";
constexpr const char* kPasteOff = "\033[?2004l";
constexpr const char* kPasteBegin = "\033[200~";
constexpr std::wstring_view kPasteEnd = L"\033[201~";

class LineEditor final : public ChatInput {
 public:
  LineEditor(const std::string& history_path, std::atomic<bool>* cancel);
  ~LineEditor() override;

  Result<std::optional<std::string>> Line(const char* prompt) override;
  void Remember(const std::string& message) override;

 private:
  static LineEditor& Self(EditLine* edit) {
    void* self = nullptr;
    el_get(edit, EL_CLIENTDATA, &self);
    return *static_cast<LineEditor*>(self);
  }
  static char* Prompt(EditLine* edit) { return Self(edit).prompt_.data(); }
  static int ReadCharacter(EditLine* edit, wchar_t* character);
  static unsigned char InsertPaste(EditLine* edit, int);

  std::atomic<bool>* cancel_;
  std::string history_path_;
  std::string prompt_;
  EditLine* edit_;
  History* history_;
};

LineEditor::LineEditor(const std::string& history_path, std::atomic<bool>* cancel)
    : cancel_(cancel),
      history_path_(history_path),
      edit_(el_init("anabranch", stdin, stderr, stderr)),
      history_(history_init()) {
  HistEvent event;
  history(history_, &event, H_SETSIZE, kHistorySize);
  history(history_, &event, H_SETUNIQUE, 1);
  if (!history_path_.empty()) {
    std::error_code error;
    std::filesystem::create_directories(std::filesystem::path(history_path_).parent_path(), error);
    history(history_, &event, H_LOAD, history_path_.c_str());
  }
  el_set(edit_, EL_CLIENTDATA, this);
  el_set(edit_, EL_PROMPT, &LineEditor::Prompt);
  el_set(edit_, EL_EDITOR, "emacs");
  el_set(edit_, EL_HIST, history, history_);
  el_set(edit_, EL_GETCFN, &LineEditor::ReadCharacter);
  el_set(edit_, EL_ADDFN, "insert-paste", "Insert pasted text", &LineEditor::InsertPaste);
  el_set(edit_, EL_BIND, kPasteBegin, "insert-paste", nullptr);
  el_source(edit_, nullptr);  // the user's ~/.editrc
}

LineEditor::~LineEditor() {
  history_end(history_);
  el_end(edit_);
}

// Reads a character in the locale's encoding. -1 also for Ctrl-C, which ends the line.
int LineEditor::ReadCharacter(EditLine* edit, wchar_t* character) {
  const LineEditor& self = Self(edit);
  std::mbstate_t state{};
  while (true) {
    char byte = 0;
    const ssize_t n = *self.cancel_ ? -1 : read(STDIN_FILENO, &byte, 1);
    if (n == 0) return 0;
    if (n < 0) {
      if (errno == EINTR && !*self.cancel_) continue;
      return -1;
    }
    // A Ctrl-D that was typed during an answer, while the terminal was not in raw mode.
    if (byte == '\0') byte = '\x04';
    const size_t used = std::mbrtowc(character, &byte, 1, &state);
    if (used == static_cast<size_t>(-2)) continue;  // more bytes to come
    if (used == static_cast<size_t>(-1)) *character = L'?';
    return 1;
  }
}

// Takes what the terminal marks as pasted: its line ends do not send the message.
unsigned char LineEditor::InsertPaste(EditLine* edit, int) {
  std::wstring text;
  wchar_t character = 0;
  while (!text.ends_with(kPasteEnd)) {
    if (el_wgetc(edit, &character) != 1) return CC_ERROR;
    text += character == L'\r' ? L'\n' : character;
  }
  text.erase(text.size() - kPasteEnd.size());
  return el_winsertstr(edit, text.c_str()) == 0 ? CC_REFRESH : CC_ERROR;
}

Result<std::optional<std::string>> LineEditor::Line(const char* prompt) {
  prompt_ = prompt;
  el_resize(edit_);
  std::fputs(kPasteOn, stderr);
  SetQuitText(kPasteOff);
  int length = 0;
  const char* const line = el_gets(edit_, &length);
  SetQuitText(nullptr);
  std::fputs(kPasteOff, stderr);
  if (line == nullptr || length <= 0) {
    std::fputs("\n", stderr);
    if (*cancel_) return Fail(ErrorKind::kInterrupted, "", "the line was dropped");
    return std::optional<std::string>();
  }
  std::string text(line, static_cast<size_t>(length));
  if (text.ends_with('\n')) text.pop_back();
  return std::optional<std::string>(std::move(text));
}

void LineEditor::Remember(const std::string& message) {
  if (message.empty()) return;
  HistEvent event;
  history(history_, &event, H_ENTER, message.c_str());
  if (!history_path_.empty()) history(history_, &event, H_SAVE, history_path_.c_str());
}

}  // namespace

std::unique_ptr<ChatInput> MakeLineEditor(const std::string& history_path,
                                          std::atomic<bool>* cancel) {
  return std::make_unique<LineEditor>(history_path, cancel);
}

}  // namespace anabranch::cli
