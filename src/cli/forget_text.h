// What was forgotten, for people: two lines without their ends.
#pragma once

#include <string>

#include "anabranch/memory.h"

namespace anabranch::cli {

// "forgot 2 units, 130 bytes of text", or "would forget".
std::string ForgottenText(const ForgetResult& forgotten);
// Which grade was reached, and what the other one waits for.
std::string GradeText(const ForgetResult& forgotten);
const char* GradeName(ForgetGrade grade);

}  // namespace anabranch::cli
