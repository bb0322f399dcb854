// What is said of repeated measurements.
#pragma once

#include <cmath>
#include <numeric>
#include <vector>

namespace anabranch::cli {

struct Spread {
  double mean = 0, deviation = 0;  // of the sample; 0 for a single value
};

inline Spread SpreadOf(const std::vector<double>& values) {
  if (values.empty()) return {};
  const auto n = static_cast<double>(values.size());
  const double mean = std::accumulate(values.begin(), values.end(), 0.0) / n;
  double squares = 0;
  for (const double value : values) squares += (value - mean) * (value - mean);
  return {.mean = mean, .deviation = values.size() < 2 ? 0 : std::sqrt(squares / (n - 1))};
}

// Of sorted values; 0: there are none.
inline double Quantile(const std::vector<double>& sorted, double q) {
  if (sorted.empty()) return 0;
  return sorted[static_cast<size_t>(q * static_cast<double>(sorted.size() - 1) + 0.5)];
}

}  // namespace anabranch::cli
