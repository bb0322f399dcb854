#include "cli/time_format.h"

#include <fmt/format.h>

#include <chrono>

namespace anabranch::cli {
namespace {

// Reads a text from its front; every step fails once one has failed.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : rest_(text) {}

  bool AtEnd() const { return rest_.empty(); }
  bool Skip(char wanted) {
    if (rest_.empty() || rest_.front() != wanted) return false;
    rest_.remove_prefix(1);
    return true;
  }
  // Exactly `digits` digits with a value in [low, high].
  bool Number(size_t digits, int low, int high, int* value) {
    if (rest_.size() < digits) return false;
    *value = 0;
    for (const char c : rest_.substr(0, digits)) {
      if (c < '0' || c > '9') return false;
      *value = *value * 10 + (c - '0');
    }
    rest_.remove_prefix(digits);
    return low <= *value && *value <= high;
  }
  // A fraction of a second, of any length, in ms.
  bool Fraction(int* ms) {
    int unit = 100;
    size_t digits = 0;
    for (; digits < rest_.size() && rest_[digits] >= '0' && rest_[digits] <= '9'; ++digits) {
      *ms += (rest_[digits] - '0') * unit;
      unit /= 10;
    }
    rest_.remove_prefix(digits);
    return digits > 0;
  }

 private:
  std::string_view rest_;
};

}  // namespace

std::optional<int64_t> ParseTime(std::string_view text) {
  Scanner scan(text);
  int year = 0, month = 0, day = 0;
  int hour = 0, minute = 0, second = 0, ms = 0;
  int zone_hour = 0, zone_minute = 0, zone_sign = 0;
  const bool date = scan.Number(4, 0, 9999, &year) && scan.Skip('-') &&
                    scan.Number(2, 1, 12, &month) && scan.Skip('-') && scan.Number(2, 1, 31, &day);
  if (!date) return {};
  if (!scan.AtEnd()) {
    if (!scan.Skip('T') && !scan.Skip('t') && !scan.Skip(' ')) return {};
    if (!scan.Number(2, 0, 23, &hour) || !scan.Skip(':')) return {};
    if (!scan.Number(2, 0, 59, &minute)) return {};
    if (scan.Skip(':') && !scan.Number(2, 0, 60, &second)) return {};
    if ((scan.Skip('.') || scan.Skip(',')) && !scan.Fraction(&ms)) return {};
    if (scan.Skip('+')) {
      zone_sign = 1;
    } else if (scan.Skip('-')) {
      zone_sign = -1;
    } else if (!scan.AtEnd() && !scan.Skip('Z') && !scan.Skip('z')) {
      return {};
    }
    if (zone_sign != 0) {
      if (!scan.Number(2, 0, 23, &zone_hour)) return {};
      const bool colon = scan.Skip(':');
      if ((colon || !scan.AtEnd()) && !scan.Number(2, 0, 59, &zone_minute)) return {};
    }
    if (!scan.AtEnd()) return {};
  }

  const std::chrono::year_month_day ymd{std::chrono::year(year),
                                        std::chrono::month(static_cast<unsigned>(month)),
                                        std::chrono::day(static_cast<unsigned>(day))};
  if (!ymd.ok()) return {};
  const int64_t days = std::chrono::sys_days(ymd).time_since_epoch().count();
  const int64_t minutes = int64_t{hour} * 60 + minute - zone_sign * (zone_hour * 60 + zone_minute);
  return ((days * 1440 + minutes) * 60 + second) * 1000 + ms;
}

std::string FormatTime(int64_t time_ms) {
  const std::chrono::sys_time<std::chrono::milliseconds> time{std::chrono::milliseconds(time_ms)};
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day ymd(day);
  const std::chrono::hh_mm_ss clock(time - day);
  std::string text =
      fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", static_cast<int>(ymd.year()),
                  static_cast<unsigned>(ymd.month()), static_cast<unsigned>(ymd.day()),
                  clock.hours().count(), clock.minutes().count(), clock.seconds().count());
  if (clock.subseconds().count() != 0) text += fmt::format(".{:03}", clock.subseconds().count());
  return text + "Z";
}

}  // namespace anabranch::cli
