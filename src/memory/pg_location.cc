#include "memory/pg_location.h"

#include <fmt/format.h>
#include <libpq-fe.h>
#include <unistd.h>

#include <array>
#include <memory>
#include <string_view>

namespace anabranch {
namespace {

constexpr std::string_view kScheme = "postgresql://";

Failure PasswordInLocation() {
  return Fail(ErrorKind::kInvalid, "the memory's location",
              "holds a password, which others can see",
              "leave it out, and give it as ANABRANCH_MEMORY_PASSWORD or --memory-password-file");
}

// True if something stands where a password would, in a location that is well formed or not.
bool MayHoldPassword(std::string_view location) {
  if (location.find("password=") != std::string_view::npos) return true;
  std::string_view path = location.substr(0, location.find('?'));
  path.remove_prefix(path.find("://") + 3);
  const size_t at = path.rfind('@');
  return at != std::string_view::npos && path.substr(0, at).find(':') != std::string_view::npos;
}

const std::string* Find(const PgLocation& location, std::string_view key) {
  for (const auto& [name, value] : location.options) {
    if (name == key) return &value;
  }
  return nullptr;
}

void SetDefault(PgLocation* location, const std::string& key, const std::string& value) {
  if (Find(*location, key) == nullptr) location->options.emplace_back(key, value);
}

std::string NameOf(const PgLocation& location) {
  const auto part = [&](std::string_view key, const char* before, const char* after) {
    const std::string* value = Find(location, key);
    return value == nullptr ? std::string() : before + *value + after;
  };
  const std::string* host = Find(location, "host");
  if (host == nullptr || host->starts_with('/')) {
    return fmt::format("{}{}/{}{}", kScheme, part("user", "", "@"), part("dbname", "", ""),
                       part("host", "?host=", ""));
  }
  return fmt::format("{}{}{}{}/{}", kScheme, part("user", "", "@"), *host, part("port", ":", ""),
                     part("dbname", "", ""));
}

// Who we are, for whoever wants to know what holds a stream.
std::string ApplicationName() {
  std::array<char, 32> host = {};  // the server keeps 63 bytes of all
  if (gethostname(host.data(), host.size() - 1) != 0) host[0] = '?';
  return fmt::format("anabranch process {} on {}", getpid(), host.data());
}

}  // namespace

Result<PgLocation> ParsePgLocation(const std::string& location, const RemoteOptions& options) {
  const auto malformed = [] {
    return Fail(ErrorKind::kInvalid, "the memory's location", "is no PostgreSQL location",
                "write postgresql://USER@HOST:PORT/DB or "
                "postgresql:///DB?host=/socket/dir&user=USER");
  };
  const bool is_ours = location.starts_with(kScheme) || location.starts_with("postgres://");
  if (!is_ours || location.find('\0') != std::string::npos) {
    return malformed();
  }
  if (MayHoldPassword(location)) return PasswordInLocation();
  const std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)> parsed(
      PQconninfoParse(location.c_str(), nullptr), &PQconninfoFree);
  if (parsed == nullptr) return malformed();

  PgLocation result;
  result.password = options.password;
  result.timeout = options.timeout;
  for (const PQconninfoOption* option = parsed.get(); option->keyword != nullptr; ++option) {
    if (option->val == nullptr) continue;
    if (std::string_view(option->keyword).ends_with("password")) return PasswordInLocation();
    result.options.emplace_back(option->keyword, option->val);
  }
  result.name = NameOf(result);
  if (!options.password.empty()) result.options.emplace_back("password", options.password);
  if (!options.ca_file.empty()) {
    SetDefault(&result, "sslrootcert", options.ca_file);
    SetDefault(&result, "sslmode", "verify-full");  // why else name whom to trust
  }
  SetDefault(&result, "fallback_application_name", ApplicationName());
  SetDefault(&result, "tcp_user_timeout", std::to_string(options.timeout.count()));
  SetDefault(&result, "gssencmode", "disable");            // its handshake waits without a deadline
  result.options.emplace_back("client_encoding", "UTF8");  // the last one counts
  return result;
}

}  // namespace anabranch
