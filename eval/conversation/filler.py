"""What is said between the facts: talk on many subjects, some of them the facts' own.

A topic is (what the user says, what the assistant says), in the notation of grammar.py; slots are
drawn anew for each sentence, from SLOTS.
"""
import vocabulary as w

DO = """fold a map|whistle with two fingers|carry a <object> upstairs|repair an umbrella|tell a good joke
wake up without an alarm|write a proper letter|keep bees calm|catch a cold on purpose|give a speech|sew on a button
cut one's own hair|get a refund from <firm>|say no|skate backwards|open a jar|grow <food> from seed
take a photograph of a <animal>|read a contract to the end|sleep on a train|catch a <animal>|bake without a recipe
light a fire in <weather>|talk to teenagers|pack for <city>|haggle over a <object>|remember faces
draw a horse|keep a diary|swim in the sea in <month>|iron a shirt|stay <mood> at parties|eat soup with dignity
cross <city> on foot|polish a <tool>|apologise to <person>|win at cards|feed a baby|climb over a fence
hang a picture straight|return a <tool> on time|drive in <city>|count sheep|explain the tides|split a bill
quit smoking|train a puppy|mend a puncture|tune a <instrument>|find mushrooms|play fair|cook for twenty
translate a poem|forget a melody|move a <object> alone|spell <city> backwards""".replace("\n", "|").split("|")

SLOTS = {
    "person": w.NAMES, "city": w.CITIES, "town": w.TOWNS, "dish": w.DISHES, "colour": w.COLOURS,
    "tool": w.TOOLS, "instrument": w.INSTRUMENTS, "job": w.JOBS, "firm": w.COMPANIES, "plant": w.PLANTS,
    "object": w.OBJECTS, "day": w.WEEKDAYS, "month": w.MONTHS, "event": w.FESTIVALS, "food": w.FOODS,
    "do": DO, "few": "two three four five six seven".split(),
    "mood": "tired cheerful restless grumpy hopeful distracted relaxed worried proud lazy".split(),
    "adj": "lovely dreadful strange decent peculiar splendid boring useful odd remarkable".split(),
    "weather": ["drizzle", "fog", "a thunderstorm", "sleet", "bright sunshine", "a mild breeze", "hail",
                "frost", "sticky heat", "the first snow"],
    "part": ["shoulder", "knee", "lower back", "neck", "left ankle", "wrist", "jaw", "elbow"],
    "animal": "heron fox badger owl hedgehog squirrel kingfisher deer swan woodpecker".split(),
    "thinker": ["Montaigne", "Hume", "Seneca", "Spinoza", "Confucius", "Pascal", "Epicurus", "Kant"],
    "genre": ["crime novels", "documentaries", "westerns", "operas", "sitcoms", "ghost stories",
              "radio plays", "silent films", "biographies", "travel books"],
}

TOPICS = {
    "weather": ([
        "It is <weather> again here, <few> days in a row{.| and nobody is surprised.}",
        "{I like|I can't stand} <weather> in <month>{.|, I must admit.}",
        "The forecast {promised|threatened us with} <weather> for <day>, and for once it was right.",
        "In <city> they apparently had <weather> {all week|since <month>}.",
    ], [
        "{That sounds|How} <adj>{!|.} After <weather>, <weather> can feel almost like a gift.",
        "Forecasts beyond <few> days are {little better|not much better} than the average for <month>.",
        "{You could use the time indoors|Perhaps it clears up by <day>}; <weather> rarely lasts in <month>.",
        "{Air pressure|The wind from the sea|A cold front} {often explains|usually brings} <weather> in places like <city>.",
    ]),
    "cooking": ([
        "I tried to make <dish> {yesterday|on <day>} and it came out <adj>.",
        "What I like about <dish> is that it tastes even better {the next day|warmed up}.",
        "{The market|The grocer} had no <food>, so I {improvised|went home with something else}.",
        "My oven runs {hot|cold}, which makes <dish> a bit of a gamble.",
        "I have been reading about {knives|cast iron|fermentation|stock} and now I am <mood>.",
    ], [
        "For <dish>, patience {does more than|matters more than} any spice: {low heat and a lid|a slow start} will do.",
        "{Taste before you salt|Let it rest}, and the <dish> will {thank you|be forgiven its first hour}.",
        "If there is no <food>, {toasted seeds|a handful of herbs|a squeeze of lemon} {will fill the gap|can step in}.",
        "A {cheap thermometer|heavy pan|sharp knife} is the {best|most underrated} thing in a kitchen{.|, honestly.}",
        "Butter {burns early|browns quickly}; oil forgives more{.|, and a mix of both has its merits.}",
    ]),
    "trains and travel": ([
        "Trains were late {all over the country|all day}, and I stood on a draughty platform {for <few> hours|forever}.",
        "I dream of a journey {through|to} <city> with nothing but a {rucksack|notebook}.",
        "The hotel {breakfast|lift|curtains} in <city> {was|were} {a comedy|<adj>}.",
        "{Flying|Driving|Taking the boat} makes me <mood>, I would always rather {walk|take the train}.",
        "Somebody took my seat {by the window|at the table} and {snored|ate <food>} all the way{.| to <city>.}",
    ], [
        "In <city> {the old town|the harbour|the market hall} is {worth the detour|nicest before breakfast}.",
        "{Regional trains|Night trains|Ferries} are slower but {you see more|hardly ever full} in <month>.",
        "{A late booking|A flexible ticket} {costs more|saves nerves}, {it depends on|so decide by} how <mood> you are about delays.",
        "{Pack one bag less|Leave early} than you think{.|; <city> has shops.}",
        "Timetables change {in <month>|twice a year}, so {have another look|check} before you leave for <city>.",
    ]),
    "health": ([
        "My <part> {aches|hurts} {since|ever since} I {carried that <object>|slept badly|went jogging}.",
        "The waiting room was full of {coughing people|old magazines}, and the doctor was <mood>.",
        "I {slept badly|hardly slept}, {dreamt of|was woken by} {a <animal>|<weather>} and woke up <mood>.",
        "I try to walk {<few> miles|an hour} every <day>, but the sofa {usually wins|is stronger}.",
    ], [
        "{Warmth|Gentle movement|A day of rest} {often helps|does wonders} when a <part> complains{.|; if not, see a doctor.}",
        "{Sleep|Routine|Daylight} does more for {the mood|recovery} than {most pills|people believe}.",
        "{It is sensible|I would} to write down {when the <part> hurts|what you ate} before an appointment{.|, doctors like facts.}",
        "Many people {feel <mood>|sleep badly} in <month>, {it usually passes|you are not alone}.",
    ]),
    "work": ([
        "The meeting {with <firm>|about the budget} {took <few> hours|was <adj>} and decided nothing.",
        "My inbox {exploded|filled up} {while I was at lunch|over the weekend}, most of it from <firm>.",
        "They want me to {learn a new tool|write a report|give a talk} by <day> and I feel <mood>.",
        "<person> from {the second floor|the other team} {brought cake|complained about the printer} {again|on <day>}.",
        "{The server|The printer|The lift} was down {all morning|again}, so we {talked|drank coffee}.",
    ], [
        "An agenda with {<few> points|one question} {would|might} have saved {everybody's afternoon|the meeting}.",
        "{Batch your mail|Answer mail twice a day}: {nobody notices|<firm> can wait} and your head stays clear.",
        "For a report, {start with the conclusion|write the summary first} and {cut|drop} {half|the rest}.",
        "{Office|Printer} trouble is {universal|older than <firm>}; {a short walk|a good checklist} {helps|cures most of it}.",
        "{Small teams|New tools} need {about <few> weeks|some patience} before they {pay off|find their pace}.",
    ]),
    "garden": ([
        "The {slugs|snails|pigeons} have eaten my {lettuce|beans|seedlings} {again|down to the stalks}.",
        "I {repotted|pruned|moved} the plants on the {balcony|window sill} and now I am {waiting|<mood>}.",
        "{A <animal>|<person>} {visits|crosses} the garden {at dusk|every <day>}, quite unafraid.",
        "The compost {smells|steams} {a little|in the cold}, which {the neighbours|<person>} did not {appreciate|mention}.",
    ], [
        "{Most plants|Seedlings} die of {too much|too little} {water|love} rather than {neglect|cold}.",
        "{Mulch|Ash|Coffee grounds} around the stems keeps {slugs|weeds} away{.| until <month>.}",
        "A <animal> is a {good sign|good gardener}: it {eats what eats your beans|knows a healthy place}.",
        "Prune {in <month>|after flowering}, {never in frost|with clean blades}, and {be bold|step back often}.",
    ]),
    "books and films": ([
        "I fell asleep over {a book|a film} {that everyone praises|from the library}, and dreamt of a <animal>.",
        "I am in the mood for <genre>, {but|though} <person> prefers <genre>.",
        "The ending was <adj>, {as if the author had a train to catch|I had to read it twice}.",
        "{The cinema|The library} in <town> {smells of floor polish|is half empty on <day>s}, I like that.",
    ], [
        "{Good|The best} <genre> {begin slowly|hide their best line in the middle}.",
        "{There is no shame in|I am all for} leaving a book unfinished after <few> chapters.",
        "If <genre> tire you, {try <genre>|alternate with <genre>}{.| for a week or <few>.}",
        "{Endings|Titles} are hard: {many|most} {films|novels} {end <few> times|were renamed before print}.",
    ]),
    "music": ([
        "Somebody {next door|upstairs} practises scales {on <day>s|till late}, {it is <adj>|I hum along by now}.",
        "I heard {a string quartet|a busker|a brass band} in <city> and stood there <mood>.",
        "As a child I {hated|loved} my music lessons{.|; the teacher smelled of <food>.}",
    ], [
        "{Playing slowly|Ten minutes a day} {beats|is worth more than} {an hour on <day>|talent} for any instrument.",
        "{A tuner|A metronome} is {merciless|a patient teacher}, {which is the point|people rarely love it}.",
        "{Buskers|Choirs} {choose|love} {stairwells|arcades} for {the echo|a reason}.",
    ]),
    "home": ([
        "The {tap|radiator|gutter} drips, and the plumber {comes on <day>|does not call back}.",
        "I {cleared out|tidied} the {cellar|cupboard|drawers} and found {a <tool>|letters from <person>}.",
        "I can't decide about the {curtains|shelves|lamps}; <colour> {looks <adj>|scares me}.",
        "The neighbours are {renovating|moving out}, {there is dust on everything|it has been <adj>}.",
        "I keep losing {my glasses|my keys|the remote}, {it is always|usually it is} where I looked first.",
    ], [
        "{Paint a test patch|Look at it by daylight}: <colour> {changes a lot in lamplight|may please you after a week}.",
        "For a drip, {a new washer|a quarter turn} {often does it|costs next to nothing}.",
        "Give {keys|glasses} one {bowl|hook} {by the door|in the hall} and {they stay found|be strict about it}.",
        "{Keep|Give away} what you have not used for <few> years{.|, even the <tool>.}",
    ]),
    "money": ([
        "{Everything|Even <food>} has become {expensive|dearer} {since <month>|this year}.",
        "I am trying to save, but {then I see a <object>|the car always wants something}.",
        "The bank {sent|wrote} a {<adj> letter|new set of terms} I {do not understand|put in a drawer}.",
    ], [
        "{A simple list|An envelope per purpose} {shows|tells you} {in <few> weeks|quickly} where the money goes.",
        "{Wait <few> days|Sleep on it} before you buy a <object>; {the wish often fades|most regret comes early}.",
        "{Lending money|A loan} among friends {needs a date|is best written down}{.|, however <mood> one feels.}",
    ]),
    "people": ([
        "<person> {rang|came by} {yesterday|on <day>} and we talked about {nothing|the old days} {for hours|until late}.",
        "I think <person> is {in love|overworked|bored}, {he or she|that one} {sings all the time|never answers the phone}.",
        "At the {bakery|bus stop} I met <person>, {who sends regards|who was <mood>}.",
        "<person> {and <person> quarrelled|told me a secret} {about politics|and I promised not to repeat it}.",
        "I {miss|envy} <person> {sometimes|a bit}, {to be honest|though I would never say so}.",
    ], [
        "{Old friends|People like <person>} {forgive|understand} {long silences|a late reply}.",
        "{A short note|A postcard} {to <person>|now and then} is {easily written|worth more than a long apology}.",
        "{Secrets|Quarrels} {age badly|shrink overnight}; {be kind|listen first}, {that is all one can do|advice can wait}.",
        "{It may help|You could try} to ask <person> {directly|over a cup of tea}.",
    ]),
    "nature": ([
        "I saw a <animal> {by the river|behind <town>} and {held my breath|forgot to take a picture}.",
        "The {leaves|swallows|mushrooms} are {early|late} this year, or do I imagine it?",
        "We walked {from <town> to <town>|along the ridge} in <weather>, {<few> hours|most of it downhill}.",
    ], [
        "The <animal> is {shyer|more common} than people think and {active|easiest to spot} {at dawn|in <month>}.",
        "{Migration|Leaf fall} follows {the length of the day|the wind} more than {the calendar|the temperature}.",
        "{Good boots|A thermos|Dry socks} {decide|make} a walk{.|, whatever the <weather>.}",
    ]),
    "thoughts": ([
        "I read a little <thinker> {on the tram|in bed} and {understood half|felt <mood>}.",
        "Do you think people {really change|are happier alone}? I go back and forth.",
        "{Time|This year} passes {faster|in jumps} since {I turned forty|the move to <town>}.",
    ], [
        "<thinker> would {shrug|smile} and say that {habit|attention} {is half of character|is all we own}.",
        "{Perhaps|I suspect} {novelty|routine} {stretches|shrinks} time: a week in <city> {feels long|is remembered longer}.",
        "{Philosophers|People} {have argued about it|disagree} {since <thinker>|for ages}; {your doubt is in good company|both sides have a point}.",
    ]),
    "computers": ([
        "My laptop {updated itself|froze} {in the middle of a call|before the backup was done}.",
        "I {forgot|reset} {yet another|my} password {on <day>|today} and {got locked out|wrote it on paper}.",
        "{The phone|The router|My screen} {flickers|restarts} when {it rains|<person> calls}, I swear.",
    ], [
        "{A password manager|A long sentence} {beats|is safer than} {clever tricks|a note under the keyboard}.",
        "{Restart the router|Check the cable} first: {it sounds silly|embarrassing}, {it works|but most faults end there}.",
        "{Backups|Updates} are {dull|boring} {until <day> morning|right up to the day they save you}.",
    ]),
    "sport": ([
        "We lost {on <day>|again}, {mostly because of me|in <weather>, which is no excuse}.",
        "I joined a {swimming|yoga|bouldering} class and {everyone is half my age|my <part> protests}.",
        "Half of <city> was {closed|blocked} for a {marathon|bicycle race}, I watched from {a balcony|the kerb}.",
    ], [
        "{Rest days|Warm-ups} {build|protect} {more than muscle|what training wears down}.",
        "{Losing|Being the oldest} {teaches|trains} {patience|humour}, {so they say|which lasts longer than legs}.",
        "{Increase by a tenth|Add little} per week and your <part> {will adapt|has time to follow}.",
    ]),
}

# Small stories and general remarks, put together of parts: (beginning, middle, end).
STORIES = [
    ["<person>", "My cousin", "The man from the kiosk", "A colleague", "The woman next door", "My old teacher",
     "The postman", "Somebody in the tram", "<person>'s aunt", "The baker's boy", "An old sailor",
     "The new tenant"],
    ["told me how to <do>", "tried to <do>", "spent all <day> trying to <do>", "wants nobody to <do>",
     "swore never to <do> again", "asked whether I could <do>", "has taught half the street to <do>",
     "dreams of being able to <do>", "is too <mood> to <do>", "nearly forgot to <do>"],
    ["{.| in <city>.}", ", which I found <adj>.", " and then {just went home|it began to rain}.",
     ", of all things.", " in <weather>.", "; I was <mood> for the rest of the day.",
     ", and <person> had to help.", " before {lunch|sunrise|the shops open}.",
     " because of {a bet|a cold|the children|the tax office}.", " like {in a film|a professional|<person>}."],
]
MAXIMS = [
    ["To <do>", "Learning to <do>", "Whoever has to <do>", "The art of being ready to <do>",
     "Being asked to <do>", "The wish to <do>", "Most advice on how to <do>"],
    ["takes {patience|practice|nerve}", "is {easier|harder} than it looks", "can be <adj>",
     "makes one <mood>", "begins with {a list|a good night's sleep|an empty table}",
     "has ruined {many a holiday|better plans}", "needs {two people|steady hands|a quiet hour}",
     "is {half luck|mostly habit}"],
    [".", ", at least in <month>.", ", as people in <city> know.", ", so <thinker> might have said.",
     ", whatever {the neighbours|<person>} may think.", "; {no need to hurry|give it time}.",
     ", and there is no shame in {asking|stopping}.", ", {with|without} a <tool> {at hand|to help}."],
]
REMARKS = ["{That makes sense|Fair enough|Understood|I see what you mean}.", "{Quite|Indeed|Exactly}.",
           "{Go on|Tell me more}{.|, if you like.}", "{There is something in that|You may be right}.",
           "{I had not looked at it that way|Good point|True}.", ""]
PASSING_ON = ["Oh, before I forget.", "By the way.", "One more thing.", "Something else.", "Note this, please.",
              "", "", "", "", "Changing the subject.", "While I think of it.", "For the record."]
KEEPING = ["I have made a note of it.", "As you told me once, and I keep it in mind.", "Let me repeat what is settled.",
           "Just so that we have it in one place.", "", "", "I looked through your papers.", "A reminder."]
IGNORANCE = ["I don't know that, I am afraid.", "You have not told me about that.", "I have no record of it.",
             "That I cannot tell you."]
READING = ["Here is the next piece of what I am reading.", "I copied out another passage for you.",
           "Listen to this.", "Tonight's chapter.", "From the old book again.", "Read this with me."]
