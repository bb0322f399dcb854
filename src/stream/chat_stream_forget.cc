// ChatStream::Forget: first in memory, then in the window, which is read again from what is left.
#include <algorithm>

#include "stream/chat_stream.h"

namespace anabranch {

Result<ForgetResult> ChatStream::ForgetInMemory(const ForgetSelection& what, bool dry_run) {
  if (memory_ == nullptr) {
    ForgetResult everything;
    everything.done = !dry_run;
    everything.grade = ForgetGrade::kErased;  // it never was in a file
    if (what.all) return everything;
    return Fail(ErrorKind::kUnsupported, "a stream without memory",
                "does not know where in it something was said", "forget all of it");
  }
  if (parts_.memory == nullptr) {
    return Fail(ErrorKind::kUnsupported, "a fork", "has no memory of its own to forget",
                "forget in the stream that it was taken from");
  }
  journal_.Sync();
  if (!what.all && !journal_.fault().empty()) {
    return Fail(ErrorKind::kIo, "memory", "fails, and nothing was forgotten: " + journal_.fault(),
                "try again, or forget all");
  }
  return parts_.memory->Forget(options_.name, what, dry_run);
}

Result<ForgetResult> ChatStream::WouldForget(const ForgetSelection& what) {
  return ForgetInMemory(what, true);
}

Result<ForgetResult> ChatStream::Forget(const ForgetSelection& what) {
  ASSIGN_OR_RETURN(ForgetResult forgotten, ForgetInMemory(what, false));
  // What still waits for a memory that fails is forgotten with all the rest.
  if (what.all) journal_.GiveUp(0);
  if (what.all || !forgotten.spans.empty()) RETURN_IF_ERROR(BuildAnew());
  return forgotten;
}

Result<void> ChatStream::BuildAnew() {
  const StreamPos next = context_.kv().next();
  JournalledStart start;
  if (memory_ != nullptr) {
    ASSIGN_OR_RETURN(start, FindStart(parts_, options_, *memory_));
  }
  if (start.empty) {
    start.first = next;
  } else {
    options_.system = start.system;
  }
  state_.forgotten += start.first - context_.kv().sizes().first;
  state_.encoder = TurnEncoder(*parts_.tokenizer, *parts_.chat_template);
  state_.recent.Clear();
  state_.previous_user_turn.clear();
  plan_.n_pinned = std::min(
      plan_.n_pinned, std::max(options_.start_size, KeptPrefix(parts_, options_, options_.system)));
  context_.Clear(start.first, plan_.n_pinned);
  if (!start.empty) {
    RETURN_IF_ERROR(ReadAgain(ResumeMode::kWindow));
  } else if (!options_.system.empty()) {
    RETURN_IF_ERROR(Read(Role::kSystem, options_.system, 0, nullptr));
  }
  return {};
}

}  // namespace anabranch
