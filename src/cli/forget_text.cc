#include "cli/forget_text.h"

#include <fmt/format.h>

#include "cli/terminal.h"

namespace anabranch::cli {

std::string ForgottenText(const ForgetResult& forgotten) {
  return fmt::format("{} {} units, {} of text", forgotten.done ? "forgot" : "would forget",
                     WithThousands(forgotten.units), FormatBytes(forgotten.text_bytes));
}

std::string GradeText(const ForgetResult& forgotten) {
  if (forgotten.grade == ForgetGrade::kErased) return "erased: no byte of it is left in the memory";
  return "unreachable: nothing brings it back; it is erased when " + forgotten.erased_when;
}

const char* GradeName(ForgetGrade grade) {
  return grade == ForgetGrade::kErased ? "erased" : "unreachable";
}

}  // namespace anabranch::cli
