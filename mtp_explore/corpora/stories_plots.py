"""The plots: what is promised, found, lent or lost early in a story returns in its last sentences."""

PLOTS = {
    "plot": [
        "<open> [<weather>|<shelter>|<shelter>] <promise>",
        "<open> [<weather>|<shelter>|<shelter>] <finder>",
        "<open> [<weather>|<shelter>|<shelter>] <loser>",
        "<open> [<weather>|<shelter>|<shelter>] <errand>",
        "<open> [<weather>|<shelter>|<shelter>] <rescue>",
        "<open> [<weather>|<shelter>|<shelter>] <trade>",
        "<open> [<weather>|<shelter>|<shelter>] <contest>",
        "<open> [<weather>|<shelter>|<shelter>] <secret>",
        "<open> [<weather>|<shelter>|<shelter>] <borrow>",
        "<open> [<weather>|<shelter>|<shelter>] <pupil>",
    ],
    # 1. A deed is promised before a deadline; a find gets in the way; the promise is kept or broken.
    "promise": [
        "<vow> <mood> <day> <road> <sense> <find> <use:thing> <shelter> <recall> [<kept> <cheer> <glad> | "
        "<kept> <cheer> <glad> | <broken> <blame> <sorry>]",
        "<vow> <day> <road> <find> <mood> <shelter> <recall> [<kept> <cheer> <glad> | <broken> <blame> <sorry>]",
    ],
    "vow": [
        "<day> <who> promised <pal> to {deed} before {deadline}.",
        '"I [will|shall] {deed} before {deadline}," <who> <how> promised {friend}.',
        '"[please|will you|could you], {hero}, {deed} before {deadline}," {~said} <pal>. "I promise," '
        "{~said} <name> <how>.",
        "{friend}, who felt {~feeling}, asked {hero.him} to {deed} before {deadline}, and <who> <how> promised.",
        "<then> <who> [gave|made] {friend}, the <natures> {~role.s} child, {hero.his} word: <who> would "
        "{deed} before {deadline}.",
    ],
    "find": [
        "{~by} a {nook} <who> [found|discovered|spotted|noticed|saw] a {look} {thing}.",
        "there <who> <how> picked up a {look} {thing}.",
        "a {look} {thing} lay <how> {~by} the {nook}.",
        "<a> {~nature} {role} [offered|showed|handed|promised] {hero.him} a {look} {thing}.",
        "<then> <who> [saw|noticed|spotted|spied|discovered|found] a {look} {thing} {~by} the {nook}.",
        "{~by} the {~look} {nook} was a {look} {thing}.",
        "{~by} the {nook} lay a {look} {thing}, <how> wrapped in <looks> {~plant} leaves.",
    ],
    "recall": [
        "then <who> remembered: {deadline}!",
        '"oh, {friend}!" {~said} <name>. "I must {deed}."',
        "only {~noise} reminded {hero.him} of {hero.his} promise to {friend}.",
        '"{deed}, before {deadline}," [thought|dreamed] <name> <how>.',
        "{~at} the [|{~air} ]{place}, <who> almost forgot what <who> had promised {friend}.",
    ],
    "kept": [
        "<then> <who> {~went} back <how> and {deed.past} before {deadline}.",
        "just before {deadline}, <who> {deed.past}, <how> and well.",
        "with the {thing} in one hand, <who> {~went} home and {deed.past}.",
        "<then> <pal> helped {hero.him}, and they <how> {deed.past} before {deadline}.",
        '"you {deed.past}!" {~said} <pal> <how>. "you kept your promise."',
    ],
    "broken": [
        "but {deadline} came, and <who> did not {deed}.",
        "{deadline} was over, and <pal> {deed.past} alone, <how>.",
        '"you did not {deed}," {~said} <pal> <how>. "you broke your promise."',
        "<then> <who> [kept|hid] the {thing}, forgot {deadline}, and broke {hero.his} promise.",
        "when <who> {~went} home, <pal> <how> {deed.past} without {hero.him}.",
    ],
    # 2. A found object has an owner; it is given back, or kept.
    "finder": [
        "<day> <road> <sense> <find> [<use:thing>|<mood>] <shelter> <owner> <shelter> [<return> <cheer> "
        "<glad> | <return> <cheer> <glad> | <keep> <blame> <sorry>]",
        "<day> <road> <find> <use:thing> <owner> <mood> <meal> [<return> <cheer> <glad> | <keep> <blame> <sorry>]",
    ],
    "owner": [
        "{friend}, {~feeling} <and> {~feeling}, had lost a {look} {thing} {~span} before.",
        '"have you seen my {thing}?" asked <pal> <how>. "it is {look}."',
        '{~by} <a> <looks> {~nook} {~at} the {place2} hung <a> {~look} note: "lost, a {look} {thing}. '
        'please bring it to <pal> before {deadline}."',
        "<villager> told {hero.him} <how> that <it> belonged to {friend}.",
        "on the {thing} was written a name: {friend}, of the [|{~air} ]{place2}.",
    ],
    "return": [
        "<then> <who> {~went} {~to} the [|{~air} ]{place2} and <how> [gave|handed|passed|offered] <pal> <it>.",
        '"here is your {look} {thing}, {friend}," {~said} <name> <how>.',
        '"my {thing}!" {~said} <pal> <how>, and [gave|handed|passed|offered] {hero.him} <a> {~taste} {~food}.',
        "<then> <who> [laid|put|placed|set|dropped] the {thing} <how> in {friend.s} hands.",
        "so <pal> got back <it> and [gave|handed|passed|offered] {hero.him} <a> {~look} {thing2} for it.",
    ],
    "keep": [
        "<then> <who> [hid|buried|concealed|stowed|tucked away] <it> <how> {~by} <a> <looks> {~nook}.",
        '"I have seen no {thing}," {~said} <name> <how>, but <pal> '
        "[saw|noticed|spotted|spied|discovered|found] the {thing}.",
        "but <who> <how> kept the {thing}, and <pal> found out {~span} later.",
        "<then> <who> [sold|gave away|traded] <it> to <villager>.",
    ],
    # 3. A treasure of the hero's is lost, searched for, and found where it was last used.
    "loser": [
        "<own> [<use:thing>|<mood>] <shelter> <day> <road> <meet> <meal> <missing> <search> <shelter> "
        "[<found> <cheer> <glad> | <found> <cheer> <glad>]",
        "<own> <day> <road> <sense> <missing> <mood> <meet> <search> <search> [<found> <cheer> <glad> | "
        "<found> <cheer> <glad>]",
    ],
    "own": [
        "{hero.his} {kin} had given {hero.him} a {look} {thing}.",
        "<then> <who> [owned|had|kept|treasured|possessed] a {look} {thing}, and <who> <how> loved it.",
        "from <villager> <who> had a {look} {thing}.",
        "{hero.his} [dearest|best] treasure was a {look} {thing}, once {~count} years lost in <a> {~air} {~place}.",
        "for {~span} <who> had saved {~count} coins to buy a {look} {thing}.",
    ],
    "missing": [
        "but <it> was gone!",
        '"my {thing}!" {~said} <name> <how>. "it is gone!"',
        "<then> <who> <how> searched {hero.his} pockets; no {thing} was in them.",
        "then, <how>, <who> noticed that the {thing} was missing.",
        "after {~span} <who> <how> [looked|searched|hunted] for <it>, but it was gone.",
    ],
    "search": [
        "<then> they [looked|peered|searched|hunted|peeked] <how> {~by} the <looks> {~nook} <and> {~by} "
        "the <looks> {~nook}.",
        "<then> <pal> {~went} <how> {~to} the {~air} {~place} and back.",
        "<villager> had seen <a> <natures> {~beast}, but no {thing}.",
        '"is it at the {~air} {~place}?" asked <pal> <how>.',
        "<then> they asked <villager> <and> {~count} children.",
        "for {~span} they searched the {~air} {~place}.",
        "<then> <pal> [found|discovered|spotted|noticed|saw] only <a> <looks> {~wear}.",
    ],
    "found": [
        "at last <pal> [found|discovered|spotted|noticed|saw] <it> {~by} <a> <looks> {~nook} {~at} the "
        "[|{~air} ]{place}.",
        "<a> <natures> {~beast} was <how> sitting on <it>.",
        '"your {thing}, {hero}!" {~said} <pal> <how>; it had been {~at} the [|{~air} ]{place}.',
        "it was in the <looks> {~wear} of {hero.his} {kin}: <it>!",
        "back {~at} the [|{~air} ]{place}, <how>, <who> [saw|noticed|spotted|spied|discovered|found] <it> "
        "beside <a> <looks> {~plant}.",
    ],
    # 4. An errand with a condition: the object reaches its receiver, unseen or not.
    "errand": [
        "<send> <mood> <day> <road> <shelter> <sense> <tempt> [<strong> <deliver> <cheer> <glad> | <weak> "
        "<scold> <blame> <sorry>]",
        "<send> <day> <road> <meet> <tempt> [<strong> <shelter> <deliver> <cheer> <glad> | <weak> <mood> "
        "<scold> <blame> <sorry>]",
    ],
    "send": [
        '"take this {look} {thing} to the {role} {~at} the {place}, but do not lend it to anyone," {~said} '
        "{hero.his} {kin}.",
        "{hero.his} {kin} <how> [gave|handed|passed|offered] {hero.him} a {look} {thing} for the {role} "
        '{~at} the {place}. "keep it safe."',
        "<then> <who> had to carry a {look} {thing} to the {role}, who worked {~at} the [|{~air} ]{place}, "
        "before {deadline}.",
        "{hero.his} {kin}, {~feeling} <and> {~feeling}, sent {hero.him} to the {role} with a {look} {thing}.",
    ],
    "tempt": [
        '"give me <it>," {~said} <pal>, "and you shall have a {look2} {thing2}."',
        "<then> <pal> <how> [offered|showed|handed|promised] {hero.him} a {look2} {thing2} for the {thing}.",
        "<then> <pal> [looked|peered|stared|glanced|gazed] <how> at <it> and held out a {look2} {thing2}.",
        "for <it>, <pal> would <how> give {~count} coins and a {look2} {thing2}.",
        '"a {look2} {thing2} for your {thing}?" asked <pal> <how>.',
    ],
    "strong": [
        '"no, it is for the {role}," {~said} <name> <how>.',
        "<then> <who> [thought|dreamed] <how> of {hero.his} {kin} and refused the {thing2}.",
        "but <who> <how> held the {thing} tight, like {~like}.",
        '"keep your {thing2}," {~said} <name>; "this {thing} is not mine."',
    ],
    "weak": [
        "{hero}, {~feeling} <and> {~feeling}, [took|accepted|grabbed|seized|received] the {thing2}.",
        '"yes!" {~said} <name> <how>, and <pal> ran off with the {thing}.',
        "so <pal> got <it>, and {hero} the {look2} {thing2}.",
    ],
    "deliver": [
        "{~at} the [|{~air} ]{place} the {role} <how> [took|accepted|grabbed|seized|received] <it>. "
        "{role.he} looked {~feeling}.",
        '"a {look} {thing}!" {~said} the {role} <how>, and {role.he} [gave|handed|passed|offered] '
        "{hero.him} <a> {~taste} {~food}.",
        "<then> <who> <how> [gave|handed|passed|offered] the {thing} to the {role}, and {role.he} paid "
        "{hero.him} {~count} coins.",
        "before {deadline} the {role} had {role.his} {look} {thing}, and {role.he} <how> thanked {hero}.",
    ],
    "scold": [
        '"where is my {thing}?" {~said} the {role} <how>. "a {thing2} is no use to me!"',
        "{~at} the [|{~air} ]{place} the {role} <how> shook {role.his} head at the {look2} {thing2}.",
        "<then> the {role} wanted {role.his} {look} {thing}, and {role.he} <how> sent {hero.him} away with "
        "the {thing2}.",
        "{hero.his} {kin} [saw|noticed|spotted|spied|discovered|found] the {look2} {thing2} and asked "
        "<how> for the {thing}.",
    ],
    # 5. A beast in need is helped with an object and pays its debt later.
    "rescue": [
        "<own> <day> <road> <sense> <trap> <free> <mood> <shelter> <danger> <repay> <cheer> <glad>",
        "<own> <use:thing> <day> <road> <trap> <free> <day> <danger> <mood> <repay> <cheer> <glad>",
    ],
    "trap": [
        "<a> {~nature} {beast} was caught {~by} a {nook}.",
        "{~by} the {nook} sat a {beast}, {~feeling} <and> {~feeling}.",
        '"help me!" {~said} <a> {~look} {beast} <how> from {~by} the {nook}.',
        "<a> {~nature} {beast} lay <how> {~by} a {nook}; its leg was hurt.",
        "{~noise} frightened a {beast}, which got stuck <how> {~by} the {nook}.",
    ],
    "free": [
        "with <it>, <who> <how> [freed|rescued|released|saved|delivered] the {beast}.",
        "<then> <who> [gave|handed|passed|offered] the {beast} <a> {~taste} {~food} and moved the {nook} <how>.",
        '"poor {beast}," {~said} <name> <how>, and [laid|put|placed|set|dropped] the {thing} beside it.',
        "<then> <who> used the {thing} <how>, and the {beast} was free.",
        "the {beast} ate <a> {~taste} {~food} from {hero.his} hand and <how> promised to help {hero.him} one day.",
    ],
    "danger": [
        "<then> <who> got lost <how> in the {~air} {place2}.",
        "<then> <who> {~went} {~to} the [|{~air} ]{place2}, and there <it> fell into the {~air} {~place}.",
        "<a> {~nature} {role} <how> [stole|snatched|took|grabbed|pinched] <it> from {hero}.",
        "{~at} the [|{~air} ]{place2}, <pal> and {hero} were <how> surprised by <a> {~scene} storm.",
        "{~span} later, <who> lost the {thing} at the {~air} {place2}.",
    ],
    "repay": [
        "then came the {beast}; it <how> [carried|brought|bore|dragged|hauled] <it> back to {hero}.",
        "who {~went} along the [|{~air} ]{place2}? It was the {beast} from the {nook}!",
        '"you helped me {~at} the {place}," {~said} the {beast} <how>, and led {hero.him} home.',
        "the {beast} remembered {hero.him} and <how> showed {hero.him} the way to {town}.",
        "the {beast} from the [|{~air} ]{place} {~went} <how> ahead, with the {thing} on its back.",
    ],
    # 6. A chain of trades: who holds what is kept straight to the end.
    "trade": [
        "<own> <wish> <day> <road> <swap> <sense> <swap2> <mood> <shelter> <count> <cheer> <glad>",
        "<own> <use:thing> <wish> <swap> <day> <road> <shelter> <swap2> <count> <cheer> <glad>",
    ],
    "wish": [
        "but <who> <how> wished for a {look3} {thing3}.",
        "{hero.his} {kin} wanted nothing but a {look3} {thing3}.",
        '"I would rather have a {look3} {thing3}," {~said} <name> <how>.',
        "<then> <who> dreamed for {~span} of a {look3} {thing3}.",
    ],
    "swap": [
        "<then> <pal> had a {look2} {thing2}, and they <how> traded it for <it>.",
        "<a> {~nature} {friend.girl}, {friend}, [took|accepted|grabbed|seized|received] the {thing} and "
        "[gave|handed|passed|offered] {hero.him} a {look2} {thing2}.",
        '"my {look2} {thing2} for your {thing}," {~said} <pal>, and <who> <how> agreed.',
        "<then> <who> <how> [gave|handed|passed|offered] <pal> <it> and got a {look2} {thing2}.",
    ],
    "swap2": [
        "a {role}, {~feeling} <and> {~feeling}, needed a {thing2}, and {role.he} "
        "[gave|handed|passed|offered] {hero.him} a {look3} {thing3} for it.",
        '"for that {look2} {thing2} I give you a {look3} {thing3}," {~said} <a> {~nature} {role} <how>.',
        "{~at} the [|{~air} ]{place} <a> {~nature} {role} <how> exchanged the {thing2} for {role.his} "
        "{look3} {thing3}.",
    ],
    "count": [
        "<then> <pal> had the {thing} and <who> the {look3} {thing3}.",
        "the {~nature} {role} {~went} off <how> with the {thing2}.",
        "{hero.his} {kin} looked <how> at the {look3} {thing3}.",
        '"{friend} has the {thing}," {~said} <name> <how>, "but see my {thing3}."',
    ],
}
