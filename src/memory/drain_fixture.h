// What the tests of the drain share: a file with a stream, a server in RAM, a drain between them.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "memory/drain.h"
#include "memory/memory_test_support.h"
#include "memory/schema.h"
#include "memory/scripted_remote.h"
#include "memory/unit_store.h"

namespace anabranch {

inline constexpr std::chrono::milliseconds kPatience{20000};
inline constexpr int kTurns = 40;
// A unit of its own: ten words.
inline std::string Sentence(int i) {
  return "The number of the house with the green door is " + std::to_string(i) + ".";
}

// A file with a stream of kTurns units and more, a server, a drain between them.
struct Draining {
  explicit Draining(bool keeps_journal = false) {
    server.keeps_journal = keeps_journal;
    path = dir.File("m");
    memory = OpenMemory(path, FakeEmbedder()).value();
    stream = memory->OpenStream("s", "tokenizer").value();
    writer.emplace(stream.get());
    for (int i = 0; i < kTurns; ++i) {
      writer->Say(i % 2 == 0 ? Role::kUser : Role::kAssistant, Sentence(i));
    }
    db = OpenStore(path, path).value();
  }

  void Start() {
    drain = Drain::Start(path, "the server", std::make_unique<ScriptedRemote>(&server),
                         {.batch_units = 8,
                          .batch_records = 8,
                          .first_pause = std::chrono::milliseconds(1),
                          .longest_pause = std::chrono::milliseconds(20)})
                .value();
    opened = drain->Open(1, {.name = "s", .width = 64});
  }
  // Until the server has all, whatever it takes.
  bool Finish() {
    const auto end = std::chrono::steady_clock::now() + kPatience;
    while (std::chrono::steady_clock::now() < end) {
      if (drain->Flush(std::chrono::milliseconds(100))) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    return false;
  }
  std::vector<uint64_t> LocalIds() {
    const UnitStore units(db.get(), 1, "s");
    const std::vector<UnitRow> rows = units.Rows().value();
    std::vector<uint64_t> ids;
    for (const UnitRow& row : rows) ids.push_back(units.IdOf(row).value());
    std::sort(ids.begin(), ids.end());
    return ids;
  }
  std::vector<uint64_t> ServerIds() {
    const std::lock_guard lock(server.mutex);
    std::vector<uint64_t> ids;
    for (const auto& [id, unit] : server.units) ids.push_back(id);
    return ids;
  }
  void SetAway(bool away) {
    const std::lock_guard lock(server.mutex);
    server.away = away;
  }
  // Of units and records at the server.
  std::string TextAtServer() {
    const std::lock_guard lock(server.mutex);
    std::string text;
    for (const auto& [id, unit] : server.units) text += unit.text + "\n";
    for (const auto& [begin, record] : server.records) text += record.record.bytes + "\n";
    return text;
  }
  // The journal at the server is the file's, record for record.
  void ExpectSameJournal() {
    const JournalStore journal(db.get(), 1);
    size_t n = 0;
    const std::lock_guard lock(server.mutex);
    for (const auto& [begin, record] : server.records) {
      EXPECT_TRUE(journal.Has(record).value()) << begin;
      ++n;
    }
    EXPECT_EQ(static_cast<int64_t>(n), journal.Count().value());
  }

  TempDir dir;
  std::string path;
  ScriptedServer server;
  std::unique_ptr<Memory> memory;
  std::unique_ptr<StreamMemory> stream;
  std::optional<Writer> writer;
  std::unique_ptr<Database> db;
  std::unique_ptr<Drain> drain;
  Result<void> opened;
};

inline Error Unavailable() { return {ErrorKind::kUnavailable, "the server", "is busy", ""}; }

}  // namespace anabranch
