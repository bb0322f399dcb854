"""The words that facts, filler and questions are filled with."""

WOMEN = """Clara Ingrid Mathilde Yuki Amara Beatriz Svetlana Nadia Fiona Greta Leila Priya Rosalind Tamsin
Ursula Wanda Xenia Zofia Aoife Birgit Carmela Delphine Esther Farida Gudrun Hanneke Isolde Jocelyn
Katarzyna Lucinda Marisol Noor Odile Paloma Ramona Saskia Thandiwe Valeria Winifred Yolanda""".split()
MEN = """Anton Bertrand Casimir Dmitri Emil Fergus Gaspard Hiroshi Ivo Jasper Kwame Leopold Matteo Niall
Oskar Pavel Quentin Rafael Sven Tobias Ulrich Vikram Wendell Yusuf Zoltan Ambrose Benedikt Cornelius
Declan Evander Florian Gideon Henrik Ignacio Joaquin Konrad Lorenzo Malachi Nikolai Piotr""".split()
NAMES = WOMEN + MEN

CITIES = """Lisbon Ghent Innsbruck Tallinn Porto Krakow Bergen Marseille Turin Dresden Gdansk Bilbao Ljubljana
Aarhus Salzburg Valencia Cardiff Utrecht Zagreb Naples Riga Lyon Antwerp Bratislava Seville Malmo Leipzig
Trieste Plovdiv Kaunas Nantes Brno Galway Toledo Groningen Sarajevo Genoa Uppsala Rouen Graz""".split()
TOWNS = """Appleby Brackwater Coldharbour Dunmere Elmsworth Fernleigh Gannock Hollowell Ivybridge Kettlewick
Larkfield Marshbrook Netherby Oakhampton Pendle Quarrington Ravensby Saltmarsh Thornbury Underhill
Wexcombe Yarrowdale Ashgrove Birchwood Cranleigh Foxdale""".split()
ISLANDS = """Vis Hvar Texel Gozo Naxos Ameland Bornholm Islay Paros Hydra Rugen Sark Lastovo Procida Skopelos
Samso Korcula Tiree Stromboli Porquerolles Barra Symi Fohr Cres""".split()
COMPANIES = """Halvorsen Brightwell Okonjo Lindqvist Castellan Morrow Pemberton Quillfeather Sandoval Tvedt
Vanterpool Wainwright Bluestone Corvane Drummond Eastlake Fairweather Grimaldi Hartigan Ironbridge
Kestrel Northgate Oakridge Solberg""".split()
PROJECTS = """Nightjar Juniper Cobalt Meridian Falcon Harvest Lighthouse Monsoon Orchid Puffin Quartz Sextant
Tundra Umbra Velvet Walnut Zephyr Bramble Cinder Dovetail""".split()

JOBS = """glassblower locksmith beekeeper translator welder cartographer puppeteer dentist midwife
pharmacist sculptor bricklayer violinmaker surveyor veterinarian lighthouse-keeper bookbinder
geologist sommelier plumber tailor radiologist botanist harpist""".split()
FOODS = """peanuts shellfish strawberries celery sesame walnuts mustard kiwis soy lupin mangoes cashews
hazelnuts garlic tomatoes buckwheat paprika pineapple chickpeas bananas""".split()
DESSERTS = ["rhubarb crumble", "lemon tart", "sticky toffee pudding", "plum cake", "panna cotta",
            "poppy seed roll", "almond nougat", "pear sorbet", "cherry strudel", "rice pudding",
            "walnut brownies", "fig ice cream", "gooseberry fool", "carrot cake", "baklava",
            "custard slices", "chestnut cream", "quince jelly", "apple fritters", "tiramisu"]
DISHES = ["shepherd's pie", "goulash", "fish chowder", "mushroom risotto", "moussaka", "pierogi",
          "lentil dal", "onion tart", "paella", "beef stew", "leek soup", "lasagne", "cheese fondue",
          "potato gratin", "spinach quiche", "chicken pie", "ratatouille", "pumpkin soup"]
INSTRUMENTS = """bassoon cello accordion trombone mandolin clarinet harpsichord viola banjo oboe marimba
bagpipes theremin lute saxophone zither piccolo tuba""".split()
LANGUAGES = """Finnish Welsh Korean Hungarian Basque Swahili Icelandic Portuguese Tamil Catalan Estonian
Georgian Maltese Turkish Breton Vietnamese Czech Gaelic Hebrew Danish""".split()
PETS = """Biscuit Pepper Marzipan Captain Noodle Ziggy Mustard Tofu Sputnik Clementine Rascal Bramble Waffles
Pickle Domino Truffle Jellybean Mozart Sprocket Pancake""".split()
COLOURS = ["dove grey", "burnt orange", "sage green", "pale lilac", "midnight blue", "mustard yellow",
           "terracotta", "ivory", "petrol blue", "raspberry red", "moss green", "charcoal", "apricot",
           "turquoise", "copper brown", "lavender", "olive", "coral"]
CARS = ["silver Skoda", "green Fiat", "old Volvo", "white Dacia", "yellow Beetle", "blue Peugeot",
        "black Saab", "red Mazda", "beige Citroen", "electric Renault", "orange Suzuki", "brown Lada",
        "grey Toyota", "purple Twingo", "rusty Land Rover", "tiny Smart", "golden Honda"]
STREETS = ["Tanner's Row", "Mill Lane", "Harbour Street", "Quince Alley", "Chapel Hill", "Weaver Close",
           "Observatory Road", "Swan Walk", "Candle Street", "Priory Gardens", "Fishergate",
           "Copper Lane", "Lime Avenue", "Bellfounder Street", "Heron Crescent", "Old Brewery Yard",
           "Windmill Terrace", "Orchard Rise", "Cooper's Wharf", "Larch Drive"]
HIDING = ["under the blue flowerpot", "behind the fuse box", "in the biscuit tin", "on top of the boiler",
          "inside the left rubber boot", "under the third stair", "in the piano stool",
          "behind the loose brick", "in the sewing drawer", "inside the cuckoo clock",
          "beneath the doormat", "taped under the bench", "in the empty tea caddy",
          "on the nail by the meter", "in the bird box", "in the glove compartment"]
LOCKED = ["garden shed", "boathouse", "bicycle cellar", "attic", "allotment hut", "workshop",
          "caravan", "wine cellar", "letter box", "greenhouse", "tool chest", "music room",
          "archive cupboard", "laundry room", "summer house", "darkroom"]
BUILDINGS = ["old mill", "town hall", "covered bridge", "water tower", "observatory", "grain store",
             "customs house", "chapel", "railway station", "lighthouse", "theatre", "windmill",
             "brewery", "monastery", "library", "swimming baths"]
FESTIVALS = ["lantern festival", "kite festival", "cheese fair", "book fair", "regatta", "harvest market",
             "jazz weekend", "chilli cook-off", "puppet festival", "flower parade", "film week",
             "crafts fair", "folk festival", "sheepdog trials", "science fair", "chess open"]
PLANTS = ["orchid", "ficus", "bonsai", "lemon tree", "fern", "cactus", "basil", "peace lily", "jasmine",
          "olive tree", "begonia", "rubber plant", "cyclamen", "ivy", "yucca", "gardenia"]
TOOLS = ["cordless drill", "hedge trimmer", "sewing machine", "tile cutter", "pressure washer",
         "waffle iron", "telescope", "camping stove", "tripod", "belt sander", "ladder", "jigsaw",
         "sleeping bag", "soldering iron", "projector", "wheelbarrow", "fondue set", "cargo bike"]
OBJECTS = ["oak table", "leather armchair", "grandfather clock", "espresso machine", "kayak", "loom",
           "wood stove", "Persian rug", "record player", "racing bike", "standing desk", "piano",
           "sewing table", "tent", "microscope", "hammock", "dishwasher", "roof box"]
FRAGILE = ["blue vase", "bathroom mirror", "kitchen window", "teapot", "porch lamp", "garden gate",
           "fish tank", "cake stand", "crystal bowl", "letter scale", "printer", "thermometer",
           "chandelier", "butter dish", "snow globe", "hand blender"]
TITLES = ["The Salt Orchard", "A Ladder of Rain", "Seven Quiet Harbours", "The Cartographer's Debt",
          "Winter Bees", "The Glass Ferry", "Letters to a Lighthouse", "The Copper Season",
          "Dust on the Piano", "The Last Almanac", "An Atlas of Small Hours", "The Fox Accord",
          "Marrow and Ash", "The Paper Regent", "Low Tide at Noon", "The Ninth Weaver",
          "A Field Without Names", "The Orchard Clerk", "Cold Lanterns", "The Heron Variations"]
PLANS = ["hike across Corsica", "learn to sail", "open a bakery", "cycle along the Danube",
         "apprentice with a potter", "restore a steam engine", "volunteer on a goat farm",
         "cross Canada by train", "write a cookbook", "build a sauna", "swim the Bosphorus",
         "train a guide dog", "paint a mural", "go ice fishing", "take up archery",
         "walk to Santiago", "study marine biology", "convert a van"]
GIFTS = ["a telescope", "a hot-air balloon ride", "a fountain pen", "a beehive", "a set of chisels",
         "a weather station", "a hand-knitted blanket", "a season ticket", "a rowing machine",
         "a magnolia tree", "a pocket watch", "a star chart", "a raincoat", "a bread knife",
         "a ukulele", "a pair of binoculars"]
REASONS = ["stage fright", "a bad knee", "the night shifts", "a quarrel with the treasurer",
           "the long drive", "the new baby", "a hearing problem", "the membership fee",
           "exam revision", "a dust allergy", "double booking", "sheer boredom", "a broken wrist",
           "an argument over the repertoire", "the early mornings", "vertigo"]
CLUBS = ["choir", "chess club", "rowing crew", "drama group", "reading circle", "fencing club",
         "allotment committee", "brass band", "climbing group", "debating society", "quilting circle",
         "football team", "astronomy club", "parish council", "improv troupe", "cricket team"]
MEETINGS = ["a pottery class", "a bus stop in the rain", "a tax seminar", "a ceilidh", "a dog show",
            "a blood donation", "a fire drill", "a chess tournament", "a night ferry",
            "a salsa evening", "a car auction", "a beekeeping course", "a dentist's waiting room",
            "a bookshop queue", "a ski lift", "a funeral"]
SCHOOLS = ["St. Brendan's", "Hillcrest Primary", "the Montessori on the hill", "Linden Grammar",
           "Riverside Academy", "the Waldorf school", "Kingsmead", "Eastfield Comprehensive",
           "the music school", "Harrow Green", "the French lycee", "Maple Street School",
           "Abbotsford College", "the forest kindergarten", "Beacon High", "Northcote Juniors"]
TEAMS = """Otters Comets Ravens Millers Thunderbolts Herons Wanderers Badgers Rockets Pelicans Corsairs
Hornets Drifters Stags Pirates Falcons Tigers Vikings""".split()
MEDICINES = """metoprolol ramipril levothyroxine warfarin metformin prednisolone simvastatin amlodipine
allopurinol pantoprazole bisoprolol furosemide gabapentin sertraline""".split()
DEPARTMENTS = ["accounting", "logistics", "customer care", "the print shop", "quality control",
               "human resources", "the archive", "procurement", "the night desk", "legal",
               "facilities", "the test lab", "marketing", "the translation unit", "payroll"]
ROOMS = ["guest room", "hallway", "kitchen", "study", "nursery", "bathroom", "landing", "dining room",
         "conservatory", "utility room", "living room", "cellar bar", "porch", "box room"]
WEEKDAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()
MONTHS = """January February March April May June July August September October November
December""".split()
FILMS = ["The Iron Lullaby", "Two Bridges", "Kestrel Down", "The Long Platform", "Paper Moons of Pest",
         "A Winter Tailor", "Red Harbour", "The Understudy's Son", "Hotel Amnesia", "Blue Cartridge",
         "The Swimming Master", "Fog Over Fado", "Three Coins for Juno", "The Quiet Auction"]
ILLNESSES = ["shingles", "tonsillitis", "a slipped disc", "whooping cough", "gout", "tinnitus",
             "a stomach ulcer", "pneumonia", "tennis elbow", "anaemia", "glandular fever",
             "a torn ligament", "migraine", "bronchitis"]
