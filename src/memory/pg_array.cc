#include "memory/pg_array.h"

#include <bit>

namespace anabranch {

std::string PgVector(std::span<const float> vector) {
  std::string bytes;
  bytes.reserve(4 * (1 + vector.size()));
  AppendBigEndian(&bytes, static_cast<int16_t>(vector.size()));
  AppendBigEndian(&bytes, int16_t{0});
  for (const float value : vector) AppendBigEndian(&bytes, std::bit_cast<uint32_t>(value));
  return bytes;
}

void PgArray::AddBytes(std::string_view bytes) {
  AppendBigEndian(&elements_, static_cast<int32_t>(bytes.size()));
  elements_ += bytes;
  ++size_;
}

pqxx::binarystring PgArray::Parameter() const {
  std::string bytes;
  bytes.reserve(20 + elements_.size());
  AppendBigEndian(&bytes, size_ == 0 ? 0 : 1);  // dimensions
  AppendBigEndian(&bytes, 0);                   // no NULLs
  AppendBigEndian(&bytes, element_type_);
  if (size_ > 0) {
    AppendBigEndian(&bytes, size_);
    AppendBigEndian(&bytes, 1);  // the first one's index
  }
  bytes += elements_;
  return PgBytes(bytes);
}

pqxx::binarystring PgBytes(std::string_view bytes) {
  return {bytes.data() == nullptr ? "" : bytes.data(), bytes.size()};
}

}  // namespace anabranch
