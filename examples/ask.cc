// Reads a file of any length, asks about it, and prints the answer as it comes:
//   ask MODEL.gguf EMBEDDER_FOLDER FILE QUESTION
#include <anabranch/engine.h>

#include <cstdio>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>

int main(int argc, char** argv) {
  if (argc != 5) return std::cerr << "usage: ask MODEL EMBEDDER FILE QUESTION\n", 2;
  const auto fail = [](const anabranch::Error& error) {
    std::cerr << error.Message() << "\n";
    return 1;
  };
  auto engine = anabranch::Engine::Open({.model = argv[1], .embedder = argv[2]});
  if (!engine) return fail(engine.error());
  auto stream =
      (*engine)->OpenStream({.recent_size = 1024, .recall = anabranch::RecallMode::kEvicted});
  if (!stream) return fail(stream.error());

  std::ifstream file(argv[3]);
  const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  if (auto read = (*stream)->Read(anabranch::Role::kUser, text); !read) return fail(read.error());

  auto answer = (*stream)->Answer(
      argv[4], {.max_tokens = 64, .on_text = [](std::string_view words) { std::cout << words; }});
  if (!answer) return fail(answer.error());
  std::cout << std::endl;
  return 0;
}
