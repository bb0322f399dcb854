#include "memory/chroma_location.h"

#include <algorithm>
#include <charconv>
#include <string_view>

namespace anabranch {
namespace {

constexpr std::string_view kAlphanumeric =
    "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

bool ConsistsOf(std::string_view text, std::string_view also) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [&](char c) {
    return kAlphanumeric.find(c) != text.npos || also.find(c) != text.npos;
  });
}

// A tenant or database: it stands in a path as it is.
bool IsName(std::string_view text) { return text.size() >= 3 && ConsistsOf(text, "._-"); }

Failure Invalid(std::string fault) {
  return Fail(ErrorKind::kInvalid, "chroma location", std::move(fault),
              "write chroma:http(s)://HOST:PORT[/TENANT/DATABASE]");
}

// Takes text up to the first of `ends`, which stays, from the front of `rest`.
std::string_view TakeUntil(std::string_view ends, std::string_view* rest) {
  const std::string_view taken = rest->substr(0, rest->find_first_of(ends));
  rest->remove_prefix(taken.size());
  return taken;
}

bool Skip(std::string_view prefix, std::string_view* rest) {
  if (!rest->starts_with(prefix)) return false;
  rest->remove_prefix(prefix.size());
  return true;
}

Result<void> ParseHost(std::string_view authority, ChromaLocation* at) {
  std::string_view rest = authority;
  if (Skip("[", &rest)) {
    at->host = TakeUntil("]", &rest);
    if (!ConsistsOf(at->host, ":.") || !Skip("]", &rest)) return Invalid("[ ] hold no address");
  } else {
    at->host = TakeUntil(":", &rest);
    if (!ConsistsOf(at->host, ".-_")) return Invalid("it has no host, or one of odd characters");
  }
  if (!Skip(":", &rest)) return Invalid("it has no port");
  const auto [end, fault] = std::from_chars(rest.data(), rest.data() + rest.size(), at->port);
  if (fault != std::errc() || end != rest.data() + rest.size() || at->port < 1 ||
      at->port > 65535) {
    return Invalid("its port is no number from 1 to 65535");
  }
  return {};
}

}  // namespace

std::string ChromaLocation::Authority() const {
  const bool ipv6 = host.find(':') != host.npos;
  return (ipv6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

std::string ChromaLocation::Name() const { return (tls ? "https://" : "http://") + Authority(); }

Result<ChromaLocation> ParseChromaLocation(const std::string& location) {
  ChromaLocation at;
  std::string_view rest = location;
  if (!Skip("chroma:", &rest)) return Invalid("it does not begin with chroma:");
  at.tls = Skip("https://", &rest);
  if (!at.tls && !Skip("http://", &rest)) return Invalid("it is neither http:// nor https://");
  if (rest.find('@') != rest.npos) {
    return Fail(ErrorKind::kInvalid, "chroma location", "it holds a user or a password",
                "give the token as ANABRANCH_MEMORY_PASSWORD or with --memory-password-file");
  }
  if (rest.find_first_of("?#") != rest.npos) return Invalid("it has a query");
  RETURN_IF_ERROR(ParseHost(TakeUntil("/", &rest), &at));
  if (rest.empty() || rest == "/") return at;

  Skip("/", &rest);
  at.tenant = TakeUntil("/", &rest);
  Skip("/", &rest);
  at.database = TakeUntil("/", &rest);
  Skip("/", &rest);
  if (!rest.empty() || !IsName(at.tenant) || !IsName(at.database)) {
    return Invalid("behind the port comes no TENANT/DATABASE (letters, digits, . _ -, 3 or more)");
  }
  return at;
}

}  // namespace anabranch
