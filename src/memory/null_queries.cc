#include "memory/null_queries.h"

namespace anabranch {
namespace {

// Chosen before any store was looked at, over as many subjects as there are lines. Small talk comes
// first. A change of this list changes calibration: stored scores are recognised by their number.
constexpr NullQuery kQueries[] = {
    {"Hello!", true},
    {"Hi there, how are you today?", true},
    {"Good morning!", true},
    {"Good evening, nice to meet you.", true},
    {"Thanks a lot, that is all for now.", true},
    {"Thank you very much!", true},
    {"Thanks, that was helpful.", true},
    {"You are welcome.", true},
    {"Goodbye, see you tomorrow.", true},
    {"Have a nice day!", true},
    {"How is it going?", true},
    {"What's up?", true},
    {"Okay, got it.", true},
    {"Great, let's go on.", true},
    {"That's funny!", true},
    {"I see, interesting.", true},
    {"Sorry about that.", true},
    {"Good night, sleep well.", true},
    {"Yes, please.", true},
    {"No, thank you.", true},
    {"Can you tell me a joke?", true},
    {"I hope you are having a good day.", true},
    {"What is the capital of Australia?"},
    {"How do I bake bread without yeast?"},
    {"Who won the football match last night?"},
    {"How far is the moon from the earth?"},
    {"What does a transistor do in a radio?"},
    {"Can you write a poem about autumn leaves?"},
    {"Which vitamins are in a banana?"},
    {"How can I fix a flat bicycle tire?"},
    {"When was the printing press invented?"},
    {"Why do cats purr?"},
    {"What is the boiling point of ethanol?"},
    {"How do you say butterfly in Spanish?"},
    {"Who painted the Mona Lisa?"},
    {"What is the best way to learn to play the guitar?"},
    {"How do vaccines protect the body?"},
    {"Where do penguins live?"},
    {"What is the tallest mountain in Africa?"},
    {"How does a heat pump warm a house?"},
    {"Which chess opening is good for beginners?"},
    {"What causes earthquakes?"},
    {"How many players are on a volleyball team?"},
    {"What is the difference between a crocodile and an alligator?"},
    {"How do I remove a red wine stain from a carpet?"},
    {"Who composed the opera Carmen?"},
    {"What time does the supermarket close?"},
    {"How much does a new laptop cost?"},
    {"Is it going to rain this weekend?"},
    {"How do I sort a list in Python?"},
    {"What is compound interest?"},
    {"Where can I buy fresh oysters?"},
    {"When should tomatoes be planted?"},
    {"How long should I boil an egg?"},
    {"What is the speed limit on a motorway in France?"},
    {"Why is the sea salty?"},
    {"Which planet has the most moons?"},
    {"What does photosynthesis produce?"},
    {"How is glass recycled?"},
    {"Who was the first woman to fly across the Atlantic?"},
    {"What size of shoes should I buy for hiking?"},
    {"How do I tie a bow tie?"},
    {"What is a good name for a small dog?"},
    {"How does a suspension bridge carry its load?"},
};

}  // namespace

std::span<const NullQuery> NullQueries() { return kQueries; }

}  // namespace anabranch
