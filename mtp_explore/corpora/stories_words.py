"""The lexicons of the stories, names and things: kind -> group -> entries, separated by commas.

Groups give gender ("girl", "boy") and what an object is good for (`<use:thing>` looks up "use.light", ...).
`plain / past` gives a verb's two forms; "any" is a kind without groups.
"""

WORDS = {
    "person": {
        "girl": """
            Abigail, Ada, Agnes, Alba, Alice, Alma, Amber, Amelia, Amira, Anna, Anya, Aria, Astrid, Aurora,
            Beatrice, Bella, Bianca, Brenda, Bridget, Camilla, Carmen, Cecily, Celia, Clara, Cora, Daisy,
            Dalia, Daphne, Delia, Dora, Edith, Eileen, Elena, Elise, Ella, Elsie, Emma, Erika, Esther, Etta,
            Eva, Faye, Fiona, Flora, Freya, Gemma, Gloria, Greta, Hannah, Hazel, Heidi, Helen, Hilda, Ida,
            Imogen, Ines, Ingrid, Irene, Iris, Isla, Ivy, Jana, Jasmine, Jenny, Joan, Josie, Judith, Julia,
            June, Karin, Kate, Kira, Laila, Lara, Laura, Leila, Lena, Lily, Lina, Linnea, Lola, Lottie, Lucy,
            Luna, Lydia, Mabel, Maja, Mara, Maria, Martha, Matilda, Maud, Meera, Mia, Mina, Mira, Molly,
            Nadia, Nell, Nina, Noor, Nora, Olga, Olive, Opal, Paula, Pearl, Petra, Phoebe, Polly, Priya,
            Rhea, Rosa, Rosalind, Ruby, Ruth, Sadie, Salma, Sara, Selma, Sigrid, Silvia, Sofia, Stella,
            Susan, Tamar, Tara, Tess, Thea, Tilda, Una, Ursula, Vera, Viola, Wanda, Wendy, Willa, Yara,
            Yasmin, Zara, Zelda, Zoe""",
        "boy": """
            Adam, Albert, Alfie, Ali, Anders, Anton, Arlo, Arthur, Barnaby, Basil, Ben, Bruno, Caleb, Carl,
            Casper, Cedric, Conrad, Cyril, Dario, David, Dimitri, Dominic, Duncan, Edgar, Edmund, Eli, Elmer,
            Emil, Enzo, Eric, Ernest, Ezra, Felix, Fergus, Finn, Francis, Fred, Gabriel, George, Gilbert,
            Gregor, Gustav, Hamid, Hans, Harold, Hector, Henry, Hugo, Ian, Igor, Isaac, Ivan, Jacob, Jamal,
            James, Jasper, Joel, Jonas, Joseph, Julian, Karim, Kasper, Kenji, Klaus, Kofi, Lars, Leo, Leon,
            Levi, Liam, Linus, Lorenzo, Louis, Lucas, Ludwig, Luka, Magnus, Malik, Marco, Marius, Martin,
            Mateo, Max, Miguel, Milo, Mustafa, Nabil, Nathan, Ned, Nico, Niels, Noah, Olaf, Oliver, Omar,
            Orson, Oscar, Oskar, Otis, Otto, Owen, Pablo, Pascal, Paul, Pavel, Percy, Peter, Philip, Quentin,
            Rafael, Ralph, Ravi, Robin, Rohan, Roland, Roman, Rowan, Rufus, Rupert, Sami, Samuel, Sander,
            Sean, Silas, Simon, Stefan, Sven, Tariq, Theo, Thomas, Tim, Tobias, Tom, Toni, Umar, Victor,
            Viktor, Vincent, Walter, Wilfred, Willem, Xavier, Yannis, Yusuf, Zeno""",
    },
    "role": {
        "any": """
            baker, blacksmith, carpenter, clockmaker, doctor, farmer, ferryman, fiddler, fisher, florist,
            gardener, glassblower, goldsmith, grocer, innkeeper, jeweller, judge, knitter, librarian,
            locksmith, magician, mayor, miller, musician, nurse, painter, pedlar, pilot, piper, poet,
            postmaster, potter, printer, ranger, sailor, schoolteacher, sculptor, shepherd, shoemaker,
            shopkeeper, singer, surgeon, tailor, tinker, toymaker, trader, traveller, watchmaker, weaver,
            woodcutter, beekeeper, cheesemaker, candlemaker, bookbinder, stonemason, acrobat, astronomer,
            apothecary, archer, explorer, inventor, juggler, scholar, sweeper, basketmaker, captain, cobbler""",
    },
    "kin": {
        "girl": """
            grandmother, mother, aunt, big sister, cousin, godmother, stepmother, great-aunt""",
        "boy": """
            grandfather, father, uncle, big brother, cousin, godfather, stepfather, great-uncle""",
    },
    "beast": {
        "any": """
            badger, bear cub, beaver, blackbird, bullfinch, calf, cat, chick, cow, crane, cricket, crow,
            cygnet, deer, dog, donkey, dove, duck, duckling, eagle, ermine, falcon, fawn, ferret, foal, fox,
            fox cub, frog, gander, goat, goose, greyhound, gull, hamster, hare, hawk, hedgehog, hen, heron,
            hound, jackdaw, jay, kid goat, kingfisher, kitten, lamb, lark, lizard, lynx, magpie, mare,
            marten, mole, mouse, mule, newt, nightingale, otter, owl, owlet, ox, parrot, partridge, peacock,
            pelican, pheasant, piglet, pigeon, polecat, pony, puffin, puppy, quail, rabbit, ram, rat, raven,
            robin, rook, rooster, salamander, seal, sheepdog, shrew, sparrow, squirrel, starling, stork,
            swallow, swan, terrier, thrush, toad, tortoise, turtle, vole, weasel, woodpecker, wren""",
    },
    "thing": {
        "light": """
            lantern, candlestick, oil lamp, torch, beacon, chandelier, paper lantern, storm lamp,
            night-light, signal lamp, lampshade, tinderbox, crystal prism, glow-worm jar""",
        "sound": """
            flute, drum, fiddle, whistle, trumpet, harp, handbell, tambourine, accordion, music box, horn,
            lute, mandolin, clarinet, cymbal, ukulele, harmonica, guitar, cello, oboe, bugle, banjo, rattle,
            gong, bagpipe, ocarina, recorder, xylophone, zither""",
        "paper": """
            letter, map, diary, songbook, almanac, atlas, cookbook, postcard, scroll, notebook, photograph,
            portrait, poster, calendar, sketch, storybook, dictionary, envelope, manuscript, chart,
            invitation, stamp album, riddle book, ticket, logbook, recipe, telegram""",
        "tool": """
            hammer, ladder, kettle, spade, rake, wheelbarrow, needle, thimble, compass, telescope, magnifying
            glass, saw, chisel, anvil, axe, bucket, rope, fishing rod, net, paintbrush, trowel, basket,
            ladle, rolling pin, broom, spinning wheel, pocket knife, hourglass, sundial, pair of scissors,
            barometer, wrench, plough, sickle, watering can, oar, anchor, sieve, mortar, umbrella""",
        "toy": """
            kite, doll, spinning top, puppet, rocking horse, marble, wooden soldier, teddy bear, balloon,
            chess set, hoop, yo-yo, sled, toy boat, toy train, jigsaw, domino, rag doll, glider, slingshot,
            model ship, pinwheel, skipping rope, stuffed rabbit, tin robot, abacus, ball""",
        "wear": """
            hat, scarf, coat, cloak, shawl, belt, glove, mitten, apron, bonnet, sash, waistcoat, jumper,
            slipper, boot, cape, crown, mask, veil, helmet, satchel, handbag, handkerchief, ribbon, blanket,
            quilt, tunic, uniform, overcoat, hood""",
        "shiny": """
            ring, key, coin, brooch, necklace, medal, locket, bracelet, mirror, pearl, ruby, emerald,
            sapphire, opal, amulet, goblet, spoon, vase, teapot, pocket watch, seashell, button, buckle,
            earring, chain, snow globe, thermometer, chalice, figurine, trophy, padlock, teacup, jug,
            inkwell, hairpin, diamond, amber bead, silver bell""",
    },
    "place": {
        "near": """
            mill, bakery, harbour, market, library, chapel, orchard, schoolhouse, bridge, smithy, inn,
            stable, barn, well, fountain, town hall, bell tower, lighthouse, greenhouse, post office, railway
            station, windmill, vineyard, dairy, courtyard, museum, theatre, bandstand, boathouse, fishmonger,
            workshop, cellar, attic, pottery, laundry, brewery, observatory, playground, park, pier, ferry
            landing, square, garden gate, rose garden, henhouse, granary, dovecote, sawmill, toll house,
            customs house, bathhouse, apothecary shop, toyshop, bookshop, tearoom, hat shop, butcher shop""",
        "far": """
            forest, river, meadow, pond, lake, beach, cliff, cave, marsh, hill, quarry, waterfall, glade,
            moor, valley, ravine, island, birch wood, oak grove, hollow tree, old ruin, stone circle, sand
            dunes, reed bed, cornfield, heath, canyon, glacier, spring, ford, hedge maze, abandoned castle,
            watchtower, fallen pine, gorge, lagoon, swamp, thicket, ridge, bay, mine, graveyard, hermitage,
            monastery, shipwreck, battlefield, sheepfold, charcoal pit, dam, canal, crossroads, signpost,
            wishing well, beaver dam, willow bank, blackberry patch, apple tree, hay meadow, mountain pass""",
    },
    "town": {
        "any": """
            Aldmoor, Amberley, Appledore, Ashford, Barrowby, Beckworth, Birchley, Blackwater, Bramble Hill,
            Brightwell, Brookfield, Burnham, Calder, Castlebury, Cherrington, Coldharbour, Copperton,
            Cranford, Crowhurst, Dalesend, Deepdale, Dunmere, Eastwick, Edgecombe, Elmsworth, Fairhaven,
            Fallowfield, Fernhill, Flintham, Foxbridge, Frostholm, Glenmore, Goldcrest, Greywater,
            Hallowdean, Harrowgate, Hartwell, Hawksmoor, Heathcote, Highgarth, Hollowmere, Ironbridge,
            Ivyford, Kestrel Bay, Kingsmarsh, Langley, Larkspur, Lindenau, Littlebourne, Longmeadow, Lowdale,
            Maplewood, Marlow, Merrivale, Millbrook, Mistwood, Moorgate, Nettlecombe, Northwick, Oakhurst,
            Otterburn, Oxley, Pebblestone, Penrose, Pinewick, Quarrybank, Ravenscar, Redcliff, Ridgeway,
            Rookwood, Roseland, Saltmarsh, Sandwick, Seaview, Silverton, Snowdon, Southmere, Starling Cross,
            Stonehaven, Swanwick, Tallowby, Thistledown, Thornbury, Tidewell, Underhill, Valebridge,
            Wakefield, Waterford, Westerly, Whitby, Wildmoor, Willowbrook, Windermere, Wolverley, Woodstock,
            Wrenfield, Yarrow, Yewdale""",
    },
    "deed": {
        "any": """
            feed the hens / fed the hens, water the roses / watered the roses, sweep the yard / swept the
            yard, milk the goats / milked the goats, mend the fence / mended the fence, paint the gate /
            painted the gate, chop the firewood / chopped the firewood, ring the evening bell / rang the
            evening bell, light the street lamps / lit the street lamps, bake the bread / baked the bread,
            stir the soup / stirred the soup, polish the boots / polished the boots, wash the windows /
            washed the windows, gather the eggs / gathered the eggs, pick the plums / picked the plums, rake
            the leaves / raked the leaves, weed the carrots / weeded the carrots, shear the sheep / sheared
            the sheep, wind the clock / wound the clock, post the parcels / posted the parcels, carry the
            water / carried the water, stack the hay / stacked the hay, groom the horses / groomed the
            horses, patch the sails / patched the sails, peel the potatoes / peeled the potatoes, dust the
            shelves / dusted the shelves, darn the socks / darned the socks, fold the sheets / folded the
            sheets, clean the chimney / cleaned the chimney, grind the flour / ground the flour, press the
            apples / pressed the apples, shell the peas / shelled the peas, plant the tulips / planted the
            tulips, sort the buttons / sorted the buttons, oil the hinges / oiled the hinges, scrub the floor
            / scrubbed the floor, trim the hedge / trimmed the hedge, tune the piano / tuned the piano, set
            the table / set the table, fix the roof / fixed the roof, learn the song / learned the song, copy
            the poem / copied the poem, count the sheep / counted the sheep, shovel the snow / shovelled the
            snow, dig the ditch / dug the ditch, pluck the lavender / plucked the lavender, churn the butter
            / churned the butter, hang the lanterns / hung the lanterns, tie the boats / tied the boats,
            guard the geese / guarded the geese, walk the dogs / walked the dogs, brush the pony / brushed
            the pony, spin the wool / spun the wool, dry the herbs / dried the herbs, bottle the honey /
            bottled the honey, salt the fish / salted the fish, load the wagon / loaded the wagon, bolt the
            shutters / bolted the shutters, fill the barrels / filled the barrels, mow the lawn / mowed the
            lawn, rock the cradle / rocked the cradle, write the signs / wrote the signs""",
    },
    "craft": {
        "any": """
            draw / drew, paint / painted, dance / danced, fish / fished, sing / sang, swim / swam, skate /
            skated, juggle / juggled, whittle / whittled, climb / climbed, bake / baked, knit / knitted, row
            / rowed, ride / rode, sew / sewed, race / raced, whistle / whistled, cook / cooked, garden /
            gardened, explore / explored, read / read, sail / sailed, dig / dug, run / ran, write / wrote,
            tinker / tinkered, daydream / daydreamed, act / acted, carve / carved, sketch / sketched, spin /
            spun, weave / wove, hunt / hunted, dive / dived, box / boxed, fence / fenced, gallop / galloped,
            hop / hopped, jump / jumped, leap / leapt, tumble / tumbled, mime / mimed, recite / recited,
            rhyme / rhymed, drum / drummed, yodel / yodelled, waltz / waltzed, wrestle / wrestled, hum /
            hummed, plough / ploughed, weld / welded, paddle / paddled, ski / skied, surf / surfed, joke /
            joked, debate / debated, bargain / bargained, count / counted, spell / spelled, calculate /
            calculated, invent / invented, photograph / photographed, embroider / embroidered, crochet /
            crocheted, sculpt / sculpted, type / typed, cartwheel / cartwheeled, fly kites / flew kites,
            throw knives / threw knives, pick locks / picked locks, tell stories / told stories""",
    },
    "deadline": {
        "any": """
            nightfall, sunset, sunrise, noon, midnight, breakfast, supper, teatime, dawn, dusk, Monday,
            Tuesday, Wednesday, Thursday, Friday, Saturday, Sunday, the first snow, the first frost, the full
            moon, the new moon, the next market day, the harvest feast, the spring fair, the midsummer dance,
            the winter ball, the next high tide, the end of the week, the end of the month, the last train,
            the evening ferry, the autumn rains, the lantern festival, New Year, the next holiday, the
            wedding, the summer regatta, the school play""",
    },
    "food": {
        "any": """
            apple, pear, plum tart, honey cake, bread roll, cheese sandwich, bowl of soup, slice of pie, cup
            of cocoa, boiled egg, pancake, muffin, ginger biscuit, roasted chestnut, bun, carrot, peach,
            cherry pie, pot of tea, currant loaf, dumpling, pretzel, waffle, glass of milk, jam doughnut,
            baked potato, sausage, omelette, bag of walnuts, orange, lemon tart, turnip, bunch of grapes,
            handful of berries, almond cake, pickle, plate of noodles, cinnamon roll, oatcake, pasty,
            apricot, bacon pie, bagel, banana, bean stew, beetroot, biscuit, bowl of porridge, brioche,
            broth, butter roll, caramel, cauliflower, chicken leg, cream puff, crumpet, cucumber, cupcake,
            custard tart, date, dish of rice, egg roll, fig, fishcake, flapjack, fruit salad, gingerbread
            heart, gooseberry, herring, jelly, kebab, lollipop, macaroon, mango, melon, meringue, mince pie,
            mushroom pie, nectarine, nut loaf, onion soup, parsnip, pea soup, pepper, piece of toffee, plum,
            pomegranate, potato cake, pudding, quince, radish, raisin bun, raspberry, rhubarb pie, salad,
            scone, sherbet, shortbread, slice of ham, strawberry, stick of liquorice, sugar mouse, tomato,
            trout, truffle, wafer, watermelon, yam""",
    },
    "plant": {
        "any": """
            rose, daisy, fern, thistle, poppy, bluebell, buttercup, ivy, lavender, lilac, violet, tulip,
            snowdrop, nettle, foxglove, heather, honeysuckle, clover, dandelion, marigold, primrose, jasmine,
            willow, hazel, hawthorn, juniper, elder, holly, mint, rosemary, thyme, sage, bramble, gorse,
            iris, lupin, crocus, cowslip, moss, sunflower, acorn tree, alder, anemone, ash tree, aster,
            azalea, bamboo, barley, basil, beech, begonia, birch, buckthorn, cactus, camellia, carnation,
            catnip, chestnut, chicory, chrysanthemum, columbine, cypress, daffodil, dahlia, dogwood, fig
            tree, flax, forget-me-not, fuchsia, gentian, geranium, gladiolus, harebell, hemlock, hollyhock,
            hop vine, hyacinth, hydrangea, larch, laurel, lily, linden, lotus, magnolia, maple, mistletoe,
            myrtle, orchid, pansy, parsley, peony, petunia, pine, plum tree, poplar, reed, rhododendron,
            sorrel, spruce, sycamore, teasel, tansy, water lily, wheat, wisteria, yarrow, yew""",
    },
    "noise": {
        "any": """
            a bell, a dog, an owl, thunder, footsteps, laughter, a whistle, a cart, drums, a horse, singing,
            a trumpet, the wind, the sea, a train, bees, a fiddle, a cuckoo, frogs, a hammer, voices, a door,
            hoofbeats, a rooster, crickets, chimes, a foghorn, geese, wings, a waterwheel, a choir, a
            squeaking gate, a blackbird, a bugle, a donkey, a duck, a flute, a fox, a frog, a goat, a gong, a
            gull, a harp, a hen, a kettle, a lamb, a lark, a mule, a nightingale, a peacock, a piano, a saw,
            a seal, a stork, a violin, a wolf, a woodpecker, an accordion, an engine, an organ, applause,
            axes, breaking glass, cannons, children, church bells, cows, crows, distant waves, dripping
            water, fireworks, flutes, hail, hounds, a landslide, mice, oars, rain, rattling chains, rustling
            leaves, snoring, a landlord, swallows, swans, whispers, whistling, wolves, yelling, a sneeze, a
            cough, a splash, a scream, a sigh""",
    },
    "like": {
        "any": """
            a feather, a shadow, a stone, a drum, a candle, a leaf in autumn, a ship at sea, a song, a
            secret, a bird, a river in spring, a lamp in the dark, a clock, a thief, a king, a queen, a
            cloud, a falling star, a wave, a kitten, a statue, a ghost, a spark, a bell, an arrow, an old
            tree, an echo, a summer storm, a snowflake, a soap bubble, a dream, a moth, a mountain, a church
            mouse, a warm bath, a whisper, a wheel, a cork, a comet, a puppy, a hawk, a fish in water, a
            spring lamb, an owl, a winter fire, a kettle, a wolf, a goose, a drumbeat, a mill wheel, a cat in
            the sun, a lion, a lizard, a needle, a nutshell, a pebble, a peacock, a pancake, a paper boat, a
            pendulum, a pirate, a prince, a puddle, a rainbow, a rocket, a rose in June, a sack of flour, a
            sailor, a seagull, a sleepwalker, a snail, a soldier, a spider, a squirrel in October, a storm
            cloud, a sunbeam, a swan, a tiger, a tiny sun, a toad, a top, a trumpet, a turtle, a violin, a
            volcano, a waterfall, a weathercock, a willow, a wizard, a wren, an acorn, an actor, an anchor,
            an angel, an ant, an ember, an icicle, an ocean, an onion, an open book, an oyster, a butterfly,
            a bee, a bubble, a cannon, a cave, a clown, a dolphin, a dragon, a dove, a fountain""",
    },
    "nook": {
        "any": """
            bench, staircase, doorstep, windowsill, wall, fence, cupboard, haystack, barrel, log, boulder,
            bush, cart, crate, hedge, puddle, chimney, drawer, table, rug, pile of leaves, heap of sacks,
            wardrobe, woodpile, ditch, mattress, bookcase, beam, flowerpot, stove, rowing boat, tree root,
            loose plank, floorboard, carpet, curtain, wagon, tarpaulin, tombstone, milk churn, armchair,
            balcony, bale of straw, beehive, birdcage, bookshelf, bathtub, birdbath, brick, bucket of coal,
            cabinet, cabbage, canoe, chest, clothesline, coal sack, coffin, cottage, counter, cradle, desk,
            doghouse, dustbin, fireplace, flagpole, footstool, furnace, gate, grindstone, gutter, hammock,
            handcart, hitching post, icebox, kennel, lamp post, mailbox, manger, milestone, mirror frame,
            molehill, nest, pantry, piano, pillar, pillow, plough handle, pump, rabbit hutch, rain barrel,
            railing, roof tile, rocking chair, scarecrow, shed, shelf, signboard, snowdrift, sofa,
            stepladder, stile, stool, suitcase, tent, tree stump, trough, trunk, tub, turnstile, washtub,
            weathervane, wicker chair, wheelbarrow load, workbench""",
    },
    "surname": {
        "any": """
            Abbott, Acker, Adler, Alder, Appleby, Archer, Ashby, Atwood, Bailey, Banks, Barlow, Barrow,
            Bates, Baxter, Beck, Bell, Bennett, Berg, Birch, Bishop, Blackwood, Blake, Bloom, Bond, Bowman,
            Brandt, Brewer, Briggs, Brook, Buckley, Burke, Burton, Byrd, Cantor, Carr, Carver, Castle,
            Chandler, Chase, Clay, Cole, Conway, Cooper, Corbin, Cotter, Crane, Cross, Croft, Dale, Dalton,
            Darrow, Dawson, Dean, Dell, Dexter, Dixon, Dobson, Doyle, Drake, Draper, Dudley, Dunn, Easton,
            Eddy, Elder, Ellis, Elwood, Emery, Farrow, Faulkner, Fenn, Fielding, Finch, Fisk, Flint, Forrest,
            Foster, Frost, Fuller, Gale, Gardiner, Garland, Gates, Gibbs, Glover, Goodwin, Grant, Graves,
            Greene, Griffin, Grove, Hale, Hall, Hardy, Harper, Hart, Hatcher, Hawkins, Hayes, Heath, Hill,
            Hobbs, Holt, Hooper, Horner, Hudson, Hunt, Hurst, Irving, Jarvis, Jensen, Jordan, Keller, Kemp,
            Kent, Kirby, Knight, Lake, Lamb, Lane, Larkin, Lawson, Leech, Linden, Locke, Lowe, Lund, Marsh,
            Mason, Mercer, Merritt, Miles, Moss, Nash, Newton, Noble, North, Norton, Oakley, Olsen, Osborne,
            Page, Palmer, Parker, Payne, Pike, Poole, Porter, Potts, Pratt, Price, Quill, Quinn, Radley,
            Ramsey, Reed, Rhodes, Rivers, Rowe, Rush, Sawyer, Sharp, Shaw, Shepard, Skinner, Slater, Snow,
            Spencer, Stark, Steele, Stone, Strand, Swift, Tanner, Taylor, Thorne, Tilley, Tucker, Turner,
            Vance, Vaughn, Wade, Walsh, Ward, Warren, Watts, Webb, Weller, West, Whitaker, Wilder, Winter,
            Wood, Wyatt, Yates, York""",
    },
    "holiday": {
        "any": """
            harvest feast, spring fair, winter ball, market, wedding, midsummer dance, lantern festival, kite
            contest, regatta, school play, cattle show, flower parade, cherry festival, cheese fair, horse
            race, snow carnival, song contest, May dance, village meeting, pie contest, boat race, puppet
            show, circus, coronation, book fair, pumpkin show, fireworks night""",
    },
    "season": {
        "any": """
            spring, summer, autumn, winter, January, February, March, April, May, June, July, August,
            September, October, November, December""",
    },
    "part": {
        "any": """
            morning, evening, afternoon, night, day, noon, midnight, dawn, dusk, twilight, weekend, sunrise,
            sunset""",
    },
}
