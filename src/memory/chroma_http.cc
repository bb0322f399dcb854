#include "memory/chroma_http.h"

#include <algorithm>
#include <charconv>
#include <ctime>
#include <iomanip>
#include <locale>
#include <sstream>
#include <utility>

#include "memory/chroma_json.h"
#include "text/utf8_stream.h"

namespace anabranch {
namespace {

using nlohmann::json;

constexpr std::chrono::hours kLongestRetryAfter{1};
constexpr size_t kMaxQuotedBytes = 300;

ErrorKind KindOf(int status) {
  if (status == 408 || status == 429 || status >= 500) return ErrorKind::kUnavailable;
  if (status == 413) return ErrorKind::kLimit;
  if (status == 401 || status == 403) return ErrorKind::kDenied;
  if (status == 404) return ErrorKind::kNotFound;
  return status >= 400 ? ErrorKind::kInvalid : ErrorKind::kCorrupt;
}

const char* RemedyFor(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::kUnavailable:
      return "its log says more";
    case ErrorKind::kDenied:
      return "check the token (ANABRANCH_MEMORY_PASSWORD or --memory-password-file)";
    case ErrorKind::kCorrupt:
      return "name the address of a Chroma server (version 1)";
    default:
      return "";
  }
}

void ReplaceAll(std::string* text, const std::string& from, const std::string& to) {
  if (from.empty()) return;
  for (size_t at = 0; (at = text->find(from, at)) != text->npos; at += to.size()) {
    text->replace(at, from.size(), to);
  }
}

}  // namespace

std::chrono::milliseconds ParseRetryAfter(const std::string& header,
                                          std::chrono::system_clock::time_point now) {
  const std::chrono::seconds longest = kLongestRetryAfter;
  if (!header.empty() && header.find_first_not_of("0123456789") == header.npos) {
    int64_t seconds = longest.count();  // what does not fit is as long
    std::from_chars(header.data(), header.data() + header.size(), seconds);
    return std::min(std::chrono::seconds(seconds), longest);
  }
  std::tm date = {};
  std::istringstream in(header);
  in.imbue(std::locale::classic());
  in >> std::get_time(&date, "%a, %d %b %Y %H:%M:%S GMT");
  if (in.fail()) return {};
  const auto wait = std::chrono::system_clock::from_time_t(timegm(&date)) - now;
  return std::chrono::duration_cast<std::chrono::milliseconds>(
      std::clamp<std::chrono::system_clock::duration>(wait, {}, longest));
}

ChromaHttp::ChromaHttp(std::string name, std::string token,
                       std::unique_ptr<ChromaConnection> connection)
    : name_(std::move(name)), token_(std::move(token)), connection_(std::move(connection)) {}

Result<ChromaHttp> ChromaHttp::Make(const ChromaLocation& location, const RemoteOptions& options) {
  ASSIGN_OR_RETURN(auto connection,
                   ChromaConnection::Make(location, options.password, options.ca_file));
  return ChromaHttp(location.Name(), options.password, std::move(connection));
}

// What the server says of a fault, as one line for an error.
std::string ChromaHttp::Quote(const std::string& body) const {
  std::string said = body;
  const json parsed = json::parse(body, nullptr, false);
  if (parsed.is_object()) {
    const auto message = parsed.find("message");
    if (message != parsed.end() && message->is_string()) said = message->get<std::string>();
  } else if (body.find_first_not_of(" \t\r\n") != body.npos &&
             body[body.find_first_not_of(" \t\r\n")] == '<') {
    return "an HTML page";
  }
  // Before it is cut: a part of the token says as much.
  ReplaceAll(&said, token_, "***");
  if (said.size() > kMaxQuotedBytes) said = said.substr(0, kMaxQuotedBytes) + "...";
  Utf8Stream utf8;
  std::string line = utf8.Push(said);
  line += utf8.Flush();
  std::replace_if(
      line.begin(), line.end(),
      [](char c) { return static_cast<unsigned char>(c) < ' ' || c == 0x7F; }, ' ');
  return line;
}

Failure ChromaHttp::Refused(const ChromaReply& reply) const {
  const ErrorKind kind = KindOf(reply.status);
  std::string fault = "it answers HTTP " + std::to_string(reply.status);
  const std::string said = Quote(reply.body);
  if (!said.empty()) fault += ": " + said;
  return Fail(kind, name_, std::move(fault), RemedyFor(kind));
}

Result<json> ChromaHttp::Call(const char* method, const std::string& path, const json& body,
                              Deadline deadline) {
  return CallText(method, path, body.is_null() ? "" : JsonText(body), deadline);
}

Result<json> ChromaHttp::CallText(const char* method, const std::string& path, std::string body,
                                  Deadline deadline) {
  retry_after_ = {};
  ASSIGN_OR_RETURN(const ChromaReply reply,
                   connection_->Exchange({method, "/api/v2" + path, std::move(body)}, deadline));
  if (reply.status < 200 || reply.status > 299) {
    if (KindOf(reply.status) == ErrorKind::kUnavailable) {
      retry_after_ = ParseRetryAfter(reply.retry_after, std::chrono::system_clock::now());
    }
    return Refused(reply);
  }
  json answer = json::parse(reply.body, nullptr, false);
  if (answer.is_discarded()) {
    return Fail(ErrorKind::kCorrupt, name_, "it answers what is no JSON: " + Quote(reply.body),
                RemedyFor(ErrorKind::kCorrupt));
  }
  return answer;
}

}  // namespace anabranch
