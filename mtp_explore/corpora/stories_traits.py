"""The lexicons of the stories, second part: adjectives, adverbs, verbs, feelings and turns of phrase."""

TRAITS = {
    "nature": {
        "any": """
            quiet, curious, brave, shy, clever, stubborn, gentle, cheerful, dreamy, patient, restless,
            careful, lonely, merry, honest, thoughtful, bold, clumsy, kind, serious, proud, nimble, hopeful,
            modest, generous, tidy, talkative, absent-minded, forgetful, hungry, sleepy, mischievous,
            earnest, daring, solemn, sensible, lively, polite, eager, impatient, imaginative, good-natured,
            freckled, tall, small, skinny, sturdy, barefoot, red-haired, curly-haired, left-handed,
            soft-spoken, hard-working, light-hearted, dark-eyed, sharp-eyed, quick-witted, untidy, obedient,
            inventive, adventurous, bashful, bookish, fearless, graceful, humble, jolly, loyal, moody, noisy,
            plucky, resolute, spirited, tender-hearted, trusting, wary, witty, young, musical, ambitious,
            agreeable, amiable, anxious, artistic, awkward, blunt, boastful, bossy, brainy, bright, brisk,
            bubbly, busy, calm, candid, capable, carefree, careless, cautious, charming, chatty, confident,
            considerate, contented, cool-headed, courageous, courteous, crafty, cunning, decent, dignified,
            diligent, discreet, dreaming, drowsy, dutiful, easygoing, eccentric, energetic, excitable,
            fair-haired, faithful, fidgety, fierce, fiery, flighty, friendly, fussy, gallant, giddy, glum,
            good-hearted, gracious, grumpy, gullible, hardy, haughty, helpful, heroic, hot-tempered, idle,
            impulsive, industrious, innocent, inquisitive, jovial, joyous, keen, lanky, learned, likeable,
            long-legged, mild, naughty, neat, nosy, observant, old-mannered, opinionated, outgoing,
            peace-loving, perky, picky, playful, pleasant, practical, prim, prudent, puny, quick, rash,
            reckless, reliable, reserved, rosy-cheeked, rowdy, sarcastic, scatterbrained, scruffy, secretive,
            self-taught, shrewd, silly, simple-hearted, sincere, slender, sly, snobbish, sociable, sour,
            spoiled, steady, stern, stout, strong-willed, studious, superstitious, sweet, tactful, tireless,
            tough, unlucky, vain, valiant, vigilant, warm-hearted, well-read, whimsical, wild, wise, wistful,
            zealous""",
    },
    "look": {
        "any": """
            copper, silver, golden, wooden, brass, iron, rusty, dusty, tiny, huge, ancient, broken, painted,
            carved, velvet, striped, spotted, polished, crooked, battered, shiny, faded, heavy, glass, ivory,
            marble, woollen, cracked, tattered, elegant, plain, odd, curious, foreign, splendid, humble,
            delicate, sturdy, borrowed, forgotten, enchanted, embroidered, gilded, lacquered, patched,
            dented, scratched, jewelled, mossy, muddy, speckled, chequered, slender, enormous, narrow, round,
            square, hollow, leather, tin, pewter, bronze, clay, porcelain, bamboo, oak, cedar, ebony,
            amber-coloured, emerald-green, sky-blue, rose-pink, snow-white, coal-black, crimson, scarlet,
            turquoise, violet, orange, yellow, purple, grey, brown, green, blue, red, white, black, pale,
            bright, gleaming, frayed, handmade, old-fashioned, unusual, valuable, worn, weathered, smooth,
            warped, singed, ornate, simple, priceless, mysterious, mended, well-loved, oddly shaped,
            perfumed, featherlight, angular, antique, beaded, bent, bleached, blunt, braided, brittle,
            burnished, charred, cheap, chipped, clean, clumsy, coarse, cobwebbed, cold, corked, costly,
            creaking, crumpled, curved, decorated, dirty, double, dull, dyed, egg-shaped, engraved,
            exquisite, fancy, feathered, felt, filthy, fine, flat, flimsy, floral, fluffy, folded, fragile,
            fringed, furry, fuzzy, glazed, glittering, glossy, granite, greasy, grimy, grubby, hairy,
            half-finished, handy, heart-shaped, home-made, inlaid, jade, knobbly, knotted, lace, large,
            lightweight, limp, linen, little, long, lopsided, lucky, massive, maroon, matchless,
            medium-sized, metallic, miniature, misshapen, modern, monstrous, mouldy, mustard-coloured,
            nameless, notched, oblong, octagonal, oily, olive-green, oval, patterned, pear-shaped, peeling,
            pink, pitted, plum-coloured, pointed, pressed, pretty, quaint, queer, ragged, raw, repaired,
            ridged, rough, royal, rustling, sandy, satin, scented, scorched, second-hand, shabby, shapeless,
            sharp, shimmering, silken, sleek, slim, slippery, soft, spare, spiky, spiral, spotless,
            square-cut, stained, starry, steel, sticky, stiff, stolen, strange, straw, sturdy-looking,
            tangerine, tarnished, tasselled, tawny, thick, thin, three-cornered, torn, transparent,
            triangular, trusty, twisted, ugly, unpainted, upturned, varnished, warm, washable, waterproof,
            wax, well-made, wicker, wide, wiry, wobbly, wrinkled, yellowed""",
    },
    "scene": {
        "any": """
            misty, sunny, windy, frosty, snowy, rainy, cloudy, stormy, mild, chilly, golden, silver, drowsy,
            peaceful, silent, gloomy, sparkling, breezy, foggy, humid, crisp, pale, rosy, dreary, glorious,
            sultry, blustery, drizzly, starlit, moonless, moonlit, balmy, icy, bitter, lovely, dull, damp,
            cool, fine, clear, hazy, grey, still, thundery, dewy, ashen, bleak, brilliant, cloudless,
            colourless, dark, dim, dusky, dusty, eerie, faint, feeble, fiery, freezing, fresh, gentle,
            ghostly, gleaming, glowing, gusty, harsh, heavy, hot, hushed, leaden, light, mellow, muggy,
            murky, oppressive, overcast, pearly, placid, purple, raw, restful, scorching, serene, sharp,
            showery, sleety, smoky, soft, spectral, steamy, sticky, sullen, sweltering, tranquil, turbulent,
            violet, warm, watery, wet, wild, wintry, yellow""",
    },
    "air": {
        "any": """
            old, deserted, crowded, crumbling, leafy, shady, flooded, overgrown, windswept, empty, narrow,
            steep, sunlit, haunted, hidden, lonely, muddy, mossy, rocky, snow-covered, tumbledown,
            whitewashed, ivy-clad, ruined, distant, famous, forgotten, frozen, dusty, quiet, shadowy,
            sheltered, slippery, smoky, stony, strange, tangled, tranquil, echoing, flowery, fragrant, dim,
            dark, bright, bustling, cobbled, neglected, nameless, northern, southern, eastern, western,
            upper, lower, secret, royal, airy, ancient, barren, bare, beautiful, black, boggy, broken,
            charming, chilly, cheerless, cosy, creaky, decaying, dismal, dreaded, draughty, drowned, dry,
            enchanted, enormous, faraway, flat, friendly, gated, glittering, gloomy, grand, grassy, green,
            half-built, hilly, holy, hushed, icy, lawless, little, lofty, lost, low, magnificent, marshy,
            misty, mysterious, new, noisy, orderly, outer, peaceful, perilous, picturesque, pretty, private,
            public, ragged, remote, sacred, sandy, shabby, silent, sleepy, snowy, solitary, spooky, sunken,
            swampy, tidy, treeless, unknown, vast, wild, winding, wooded""",
    },
    "how": {
        "any": """
            quietly, slowly, quickly, carefully, gladly, softly, bravely, eagerly, gently, politely, proudly,
            calmly, cheerfully, nervously, thoughtfully, patiently, solemnly, suddenly, kindly, warmly,
            shyly, firmly, boldly, sadly, gravely, happily, hastily, hopefully, honestly, loudly, merrily,
            neatly, timidly, tenderly, wearily, wisely, briskly, clumsily, curiously, dreamily, drowsily,
            earnestly, faintly, fiercely, frankly, grandly, hesitantly, humbly, hurriedly, impatiently,
            innocently, jokingly, lazily, lightly, mildly, mysteriously, nimbly, peacefully, playfully,
            promptly, seriously, sharply, sheepishly, silently, sleepily, smoothly, sternly, stubbornly,
            sweetly, swiftly, tearfully, uneasily, wistfully, zealously, absently, anxiously, awkwardly,
            bashfully, bitterly, blankly, blissfully, brightly, broadly, casually, cautiously, coldly,
            coolly, courageously, cunningly, daintily, deeply, defiantly, dutifully, easily, evenly,
            expertly, faithfully, fearfully, fondly, freely, furiously, generously, gingerly, gleefully,
            gloomily, gracefully, gratefully, greedily, grimly, grumpily, guiltily, heartily, helplessly,
            hoarsely, hungrily, idly, inquisitively, intently, jealously, joyfully, keenly, knowingly,
            languidly, lovingly, loyally, meekly, miserably, modestly, nobly, noisily, obediently, oddly,
            openly, painfully, plainly, pleasantly, punctually, rapidly, readily, reluctantly, respectfully,
            roughly, rudely, secretly, selfishly, sensibly, serenely, shakily, skilfully, slyly, soberly,
            soundlessly, steadily, stiffly, strangely, tactfully, thankfully, tirelessly, truthfully,
            unhappily, urgently, vaguely, valiantly, vigorously, violently, wildly, willingly, artfully,
            breathlessly, carelessly, charmingly, comically, delicately, doggedly, elegantly, feverishly,
            graciously, hesitatingly, icily, jovially, mechanically, mournfully, nonchalantly, pensively,
            pompously, rashly, resolutely, ruefully, sincerely, sulkily, tensely, wryly""",
    },
    "feeling": {
        "any": """
            happy, sad, proud, nervous, tired, worried, relieved, excited, surprised, lonely, grateful,
            ashamed, hopeful, jealous, calm, angry, delighted, puzzled, frightened, content, cold, hungry,
            homesick, guilty, brave, bored, confused, curious, determined, disappointed, dizzy, embarrassed,
            foolish, gloomy, impatient, joyful, lucky, miserable, peaceful, restless, shy, sorry, thirsty,
            thoughtful, uneasy, weary, wide awake, light as air, sick with worry, full of hope, astonished,
            amused, cheerful, doubtful, dismayed, enchanted, fearless, flattered, gloriously free, overjoyed,
            stunned, troubled, thrilled, warm, afraid, alarmed, alert, annoyed, anxious, awkward, bewildered,
            bitter, blissful, bold, breathless, cautious, charmed, cheated, clumsy, comforted, contented,
            cross, defeated, dejected, downcast, drowsy, eager, elated, envious, exhausted, faint,
            fascinated, forlorn, free, fretful, frozen, furious, gleeful, grumpy, humble, hurt, important,
            indignant, innocent, inspired, irritable, lazy, mellow, merry, mischievous, moved, muddled,
            neglected, numb, offended, patient, pleased, powerless, powerful, refreshed, regretful, rested,
            sheepish, shaken, silly, sleepy, small, smug, speechless, startled, stubborn, sulky, tearful,
            tense, thankful, tender, timid, touched, triumphant, unafraid, unwell, upset, useless, wistful,
            wretched, young""",
    },
    "went": {
        "any": """
            walked, hurried, ran, wandered, raced, strolled, crept, marched, skipped, trotted, limped,
            trudged, rushed, climbed, tiptoed, dashed, scrambled, ambled, stumbled, hiked, plodded, sprinted,
            sneaked, darted, drifted, galloped, jogged, pressed on, strode, swept, tramped, travelled,
            headed, hastened, rambled, roamed, scurried, stole, bounded, bustled, charged, clambered,
            crawled, cruised, danced, dawdled, flew, fled, glided, hobbled, hopped, inched, journeyed, leapt,
            lumbered, lurched, moseyed, meandered, padded, paced, paddled, paraded, pattered, pedalled,
            promenaded, pranced, prowled, roved, sauntered, scampered, scooted, scuttled, shambled, shuffled,
            sidled, slipped, slid, slithered, slogged, sloshed, sped, splashed, spun, staggered, stepped,
            stomped, straggled, stormed, strayed, streaked, streamed, swaggered, teetered, thundered,
            toddled, tottered, traipsed, tumbled, twirled, vaulted, waddled, waded, waltzed, wheeled,
            whirled, whizzed, whooshed, wriggled, zigzagged, zoomed, flitted, hurtled, tore, strutted,
            bolted, cantered, coasted, lolloped, mooched, trundled""",
    },
    "said": {
        "any": """
            said, whispered, murmured, cried, called, answered, replied, laughed, sighed, announced,
            declared, muttered, mumbled, exclaimed, shouted, insisted, admitted, added, gasped, grumbled,
            remarked, stammered, agreed, barked, bellowed, breathed, chuckled, coughed, crowed, croaked,
            drawled, giggled, groaned, growled, grunted, hissed, hooted, howled, moaned, panted, piped,
            pleaded, puffed, roared, screamed, shrieked, sneered, snapped, sniffed, snorted, sobbed,
            spluttered, squeaked, thundered, wailed, warned, wheezed, whined, yawned, yelled, blurted,
            chirped""",
    },
    "span": {
        "any": """
            an hour, a minute, a day, a week, a month, a moment, half an hour, two hours, three days, four
            days, five weeks, six months, the whole morning, the whole afternoon, the whole night, a whole
            year, a little while, ten minutes, twenty minutes, many days, several weeks, nearly an hour,
            almost a year, seven nights, eight days, a fortnight, a long time, a short rest, ninety minutes,
            one long hour, two long nights, a few seconds, a quarter of an hour, several minutes, several
            hours, a day and a night, a whole week, a whole winter, a whole summer, three weeks, four weeks,
            two years, three years, nine days, ten days, eleven days, twelve nights, thirteen days, a dozen
            days, a couple of hours, a heartbeat, an age, a full month, most of the day, half a year, half
            the night, some time, countless hours""",
    },
    "count": {
        "any": """
            two, three, four, five, six, seven, eight, nine, ten, eleven, twelve, thirteen, fourteen,
            fifteen, sixteen, seventeen, eighteen, nineteen, twenty, thirty, forty, fifty, sixty, seventy,
            eighty, ninety, twenty-one, twenty-two, twenty-three, twenty-four, twenty-five, twenty-six,
            twenty-seven, twenty-eight, twenty-nine, thirty-one, thirty-two, thirty-three, thirty-four,
            thirty-five, thirty-six, thirty-seven, thirty-eight, thirty-nine, forty-one, forty-two,
            forty-three, forty-four, forty-five, forty-six, forty-seven, forty-eight, forty-nine, fifty-one,
            fifty-two, fifty-three, fifty-four, fifty-five, fifty-six, fifty-seven, fifty-eight, fifty-nine,
            sixty-one, sixty-two, sixty-three, sixty-four, sixty-five, sixty-six, sixty-seven, sixty-eight,
            sixty-nine, seventy-one, seventy-two, seventy-three, seventy-four, seventy-five, seventy-six,
            seventy-seven, seventy-eight, seventy-nine, eighty-one, eighty-two, eighty-three, eighty-four,
            eighty-five, eighty-six, eighty-seven, eighty-eight, eighty-nine, ninety-one, ninety-two,
            ninety-three, ninety-four, ninety-five, ninety-six, ninety-seven, ninety-eight, ninety-nine""",
    },
    "lesson": {
        "any": """
            a promise is a kind of debt, kindness comes home again, small hands can do great things, patience
            opens every door, a true friend is worth a kingdom, honest words weigh more than gold, courage is
            a quiet thing, nothing is lost for ever, every road has two ends, a gift grows when it is shared,
            mistakes can be mended, good news travels slowly, trust is easily broken, the long way is often
            the best, luck likes a busy person, even a small light drives back the dark, a borrowed thing is
            never quite free, secrets are heavy to carry, time tells the truth, one good turn deserves
            another, wishes need work, home is where someone waits, listening is a gift, fear shrinks when
            you look at it, pride is a poor companion, a closed fist catches nothing, a good name is worth a
            long walk, a quiet word reaches further than a shout, all that shines is not a star, bad weather
            passes, brave people also tremble, empty pockets make light feet, every lock has a key, friends
            are the best map, great trees grow from little seeds, hasty steps make long roads, it is never
            too late to turn round, luck is a shy visitor, many hands make small work, no door is closed to a
            smile, one lie needs ten others, rain falls on every roof, strangers are friends in disguise, the
            best gifts are given twice, the truth has strong legs, those who ask will find, water finds its
            way, what is given is not lost, what you hide will find you, words are easily spent""",
    },
    "taste": {
        "any": """
            bitter, burnt, buttered, cheap, chewy, cold, creamy, crisp, crumbly, crunchy, delicious, dry,
            enormous, fat, fiery, fresh, fried, frozen, golden, greasy, half-eaten, hard, home-made, hot,
            huge, iced, juicy, large, lukewarm, magnificent, mashed, mild, minty, modest, mouldy, nutty,
            odd-tasting, overripe, peppery, perfect, pickled, plain, rich, ripe, roast, salty, savoury,
            second, small, smoked, soft, soggy, sour, spicy, squashed, stale, steaming, sticky, sugary,
            sweet, tasty, tender, tiny, warm, watery, wonderful""",
    },
    "grace": {
        "any": """
            precious, dear, beloved, fine, wonderful, lovely, famous, strange, little, old, treasured,
            blessed, unlucky, lucky, charming, remarkable, rare, fateful, good, honest, mighty, noble, proud,
            silly, wretched, wondrous, peculiar, celebrated, cherished, marvellous, useful, troublesome,
            faithful, longed-for, magic, much-admired, unforgettable, curious, poor, glorious, extraordinary,
            legendary""",
    },
    "by": {
        "any": """
            under, behind, beside, near, beneath, below, above, against, opposite, inside, by, on, beyond, in
            front of, next to, close to, not far from""",
    },
    "link": {
        "any": """
            then, soon, now, next, later, finally, meanwhile, afterwards, again, perhaps, certainly,
            naturally, luckily, indeed, still, there, here, suddenly, presently, eventually, instantly, once,
            twice, thereupon, nevertheless, however, instead, besides, therefore, thus, often, sometimes,
            always, seldom, maybe, surely, apparently, evidently, obviously, unexpectedly, incredibly,
            fortunately, unfortunately, secretly, anyway, clearly""",
    },
    "age": {
        "any": """
            young, little, old, dear, poor, good, tall, small, big, tiny, thin, dark, fair, pale, blond,
            ginger, grey-eyed, blue-eyed, green-eyed, brown-eyed, rosy, slim, plump, round, long-haired,
            short-haired, black-haired, dimpled, weathered, stooping, red-nosed, limping, smiling, laughing,
            yawning, blinking, blushing, frowning, whistling, sunburnt, dishevelled, well-dressed, muddy,
            bespectacled""",
    },
    "cheered": {
        "any": """
            cheered, clapped, laughed, nodded, smiled, waved, sang, danced, whistled, grinned, bowed, winked,
            chuckled, wept, applauded, shouted, beamed, hummed, giggled, stared, blushed, yawned, sighed,
            listened, watched""",
    },
    "to": {
        "any": """
            to, towards, into, as far as, over to, down to, up to, straight to, back to, all the way to,
            round to, off to""",
    },
    "at": {
        "any": """
            at, near, by, outside, behind, not far from, close to, inside, beyond, in front of, opposite, in
            sight of""",
    },
    "song": {
        "any": """
            an old song, a lullaby, a sea shanty, a march, a hymn, a waltz, a ballad, a harvest song, a
            cradle song, a love song, a nursery rhyme, a drinking song, a polka, a carol, a wordless tune, a
            sad melody, a silly rhyme, a jig, a psalm, a serenade, a battle song, a beggar's song, a birthday
            song, a counting rhyme, a dance tune, a drinking tune, a fairy song, a farewell song, a fishing
            song, a folk song, a foreign tune, a hunting song, a lament, a lively tune, a love ballad, a
            marching song, a mazurka, a minuet, a mountain song, a prayer, a reel, a riddle song, a river
            song, a robber ballad, a rondo, a round, a spinning song, a spring song, a travelling song, a
            tango, a wedding march, a winter song""",
    },
    "smell": {
        "any": """
            smoke, honey, rain, fresh bread, salt, pine needles, wet wool, cinnamon, hay, tar, apples, soap,
            old books, seaweed, wood shavings, onions, coffee, candle wax, roses, peppermint, cloves,
            mushrooms, leather, ink, vinegar, gunpowder, oranges, toast, cut grass, thunder, almonds, ash,
            autumn leaves, bacon, bananas, beeswax, burnt sugar, butter, camphor, caramel, cedar, cellars,
            cheese, chocolate, cold stone, damp earth, dill, fish, fried onions, garlic, ginger, grapes,
            herbs, horses, jam, lemons, linseed oil, lilacs, malt, mint, moss, mud, nutmeg, old rope, paint,
            paper, pepper, perfume, petrol, plums, resin, rotting wood, rum, sawdust, snow, spices, straw,
            tea, tobacco, turpentine, vanilla, varnish, violets, wet dog""",
    },
}
