// Arrays as parameters of SQL, in PostgreSQL's binary format: many rows in one statement (unnest).
#pragma once

#include <cstdint>
#include <pqxx/binarystring>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>

namespace anabranch {

// Types by their numbers, which every server shares.
inline constexpr uint32_t kPgBool = 16, kPgBytea = 17, kPgInt8 = 20, kPgInt2 = 21, kPgText = 25;

// Appends an integer as PostgreSQL sends it: big-endian.
template <typename Int>
void AppendBigEndian(std::string* bytes, Int value) {
  const auto bits = static_cast<std::make_unsigned_t<Int>>(value);
  for (int shift = 8 * (static_cast<int>(sizeof bits) - 1); shift >= 0; shift -= 8) {
    bytes->push_back(static_cast<char>(static_cast<uint64_t>(bits) >> shift));
  }
}

// A vector of pgvector in binary: its width, 16 bits that are not used, the numbers.
std::string PgVector(std::span<const float> vector);

class PgArray {
 public:
  explicit PgArray(uint32_t element_type) : element_type_(element_type) {}

  void AddBytes(std::string_view bytes);  // of bytea, text, and what has a binary form of its own
  void AddInt8(int64_t value) { AddInt(value); }
  void AddInt2(int16_t value) { AddInt(value); }
  void AddBool(bool value) { AddInt(static_cast<uint8_t>(value)); }

  size_t bytes() const { return elements_.size(); }
  pqxx::binarystring Parameter() const;

 private:
  template <typename Int>
  void AddInt(Int value) {
    AppendBigEndian(&elements_, static_cast<int32_t>(sizeof value));
    AppendBigEndian(&elements_, value);
    ++size_;
  }

  uint32_t element_type_;
  int32_t size_ = 0;
  std::string elements_;
};

// Bytes as a parameter of type bytea.
pqxx::binarystring PgBytes(std::string_view bytes);

}  // namespace anabranch
