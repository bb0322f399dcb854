#include "support/chroma_server.h"

#include <utility>

namespace anabranch::testing {

ChromaServer::ChromaServer(std::string source_dir)
    : source_dir_(std::move(source_dir)), port_(FreePort()) {}

bool ChromaServer::Start() {
  process_ = std::make_unique<ServerProcess>(
      std::vector<std::string>{source_dir_ + "/.venv/chroma/bin/chroma", "run", "--host",
                               "127.0.0.1", "--port", std::to_string(port_), "--path", folder()},
      std::map<std::string, std::string>{{"ANONYMIZED_TELEMETRY", "False"}, {"RUST_LOG", "error"}},
      folder() + "/server.log");
  return process_->WaitUntil([&] { return Accepts(port_); });
}

void ChromaServer::Stop(int signal) { process_->Stop(signal); }

void ChromaServer::Signal(int signal) { process_->Signal(signal); }

std::string ChromaServer::location() const {
  return "chroma:http://127.0.0.1:" + std::to_string(port_);
}

std::string ChromaServer::Log() const { return process_ ? process_->Log() : ""; }

}  // namespace anabranch::testing
