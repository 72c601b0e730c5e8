"""More plots: a contest with a shared prize, a secret, a loan that breaks, a pupil and a master."""

TURNS = {
    # 7. A prize is to be shared; the winner remembers it, or does not.
    "contest": [
        "<prize> <mood> <pact> <train> <day> <race> [<hero> <share> <cheer> <glad> | <hero> <greed> "
        "<blame> <sorry> | <friend> <gift> <cheer> <glad>]",
        "<prize> <meet> <pact> <day> <train> <shelter> <race> [<hero> <share> <cheer> <glad> | <hero> "
        "<greed> <blame> <sorry> | <friend> <gift> <cheer> <glad>]",
    ],
    "prize": [
        "the prize of the {~holiday} {~at} the [|{~air} ]{place} was a {look} {thing}.",
        '"who can {craft} best shall have this {look} {thing}," {~said} the {role} <how>.',
        "<then> the {role} of {town} <how> [offered|showed|handed|promised] a {look} {thing} to whoever "
        "could {craft} best.",
        "a {look} {thing} was to be won {~at} the [|{~air} ]{place} before {deadline}.",
    ],
    "pact": [
        "<then> <who> and <pal> <how> [agreed|decided|promised|vowed|swore] to share the {thing}.",
        '"if I win <it>, half is yours," {~said} <name> <how> to {friend}.',
        '"let us share the {thing}, {friend}," {~said} <name> <how>.',
        "<then> <pal> and <who> promised each other <how> that the {thing} would belong to both.",
    ],
    "train": [
        "for {~span} they learned to {craft}, <how> and <how>.",
        "<then> <pal> {craft.past} like {~like}; <who> {craft.past} <how>.",
        "<villager> taught <who> to {craft} <how>.",
        "<then> <who> {craft.past} for {~span} {~by} <a> <looks> {~nook}.",
        "<then> <who> {craft.past} <how> until {~noise} stopped {hero.him}.",
    ],
    "race": [
        "{~count} children {craft.past} <how> {~at} the [|{~air} ]{place}.",
        "{third}, the {~nature} child of <villager>, {craft.past} <how> too.",
        "<a> <natures> {~beast} {~went} <how> across the [|{~air} ]{place}, and {third} fell over <a> <looks> {~nook}.",
        "{third} {craft.past} like {~like}, but stopped to eat <a> {~taste} {~food}.",
        "{~at} the [|{~air} ]{place}, {third} and <pal> {craft.past} <how>, {~feeling} <and> {~feeling}.",
    ],
    "hero": [
        "<then> <who> {craft.past} best and [won|earned|gained|took home] <it>.",
        "<it> <how> went to {hero}.",
        '"the winner is {hero}!" {~said} the {~nature} {role}. "here is your {thing}."',
        "<then> <who> won, <how>, and held up <it>.",
    ],
    "friend": [
        "<then> <pal> {craft.past} best and [won|earned|gained|took home] <it>.",
        "<it> <how> went to {friend}.",
        '"the winner is {friend}!" {~said} the {~nature} {role}. "here is your {thing}."',
        "<then> <pal> won, <how>, and <who> clapped <how>.",
    ],
    "share": [
        "<then> <who> <how> [gave|handed|passed|offered] <pal> the {thing} for the first {~part}.",
        '"it is ours, {friend}," {~said} <name> <how>, and they shared the {thing}.',
        "<then> <who> put <it> <how> {~by} <a> <looks> {~nook} where <pal> could use it too.",
    ],
    "greed": [
        '"the {thing} is mine alone," {~said} <name> <how> to {friend}.',
        "but <who> <how> [hid|buried|concealed|stowed|tucked away] <it> from <pal> for {~span}.",
        "<then> <who> [sold|gave away|traded] the {thing} for {~count} coins and "
        "[gave|handed|passed|offered] <pal> nothing but <a> {~taste} {~food}.",
    ],
    "gift": [
        "<then> <pal> <how> shared <it> with {hero}.",
        '"half of this {thing} is yours, {hero}," {~said} <pal> <how>.',
        '<then> <pal> [laid|put|placed|set|dropped] <it> <how> in {hero.s} hands. "ours," {friend.he} {~said}.',
    ],
    # 8. A secret is told; it is guarded, or slips out.
    "secret": [
        "<tell> <hush> <mood> <day> <road> <sense> <ask> [<silent> <thanks> <cheer> <glad> | <silent> "
        "<shelter> <thanks> <cheer> <glad> | <blab> <loss> <blame> <sorry>]",
        "<meet> <tell> <hush> <shelter> <day> <ask> <mood> [<silent> <meal> <thanks> <cheer> <glad> | "
        "<blab> <loss> <blame> <sorry>]",
    ],
    "tell": [
        '"I [hid|buried|concealed|stowed|tucked away] a {look} {thing} {~by} the {nook} {~at} the '
        '{place}," <pal> told {hero.him} <how>.',
        "<then> <pal> <how> showed {hero.him} where {friend.he} had hidden a {look} {thing}: {~by} the "
        "{nook} {~at} the [|{~air} ]{place}.",
        "<then> <pal> had a secret: {~by} the {nook} {~at} the [|{~air} ]{place} lay a {look} {thing}.",
        "only <pal> and <who> knew of <it> {~by} the {nook} {~at} the [|{~air} ]{place}.",
    ],
    "hush": [
        '"tell nobody before {deadline}!" {~said} <pal> <how>.',
        "<then> <who> <how> promised to tell nobody, not even {hero.his} {kin}.",
        '"I will be as silent as {~like}," {~said} <name> <how>.',
        "it was for {friend.his} {~nature} {kin}, and <who> promised <how> to keep the secret.",
    ],
    "ask": [
        "then {third}, {~feeling} <and> {~nature}, asked {hero.him} about the {thing}.",
        '"where is <it>?" {third} asked {hero.him} <how>.',
        '"I give you <a> {~look} {thing2} if you tell me where the {thing} is," {~said} {third} <how>.',
        "{third} {~went} past the {nook} and <how> asked what <pal> had hidden.",
    ],
    "silent": [
        '"ask {friend}," {~said} <name> <how>, and no more.',
        "<then> <who> [looked|peered|stared|glanced|gazed] <how> at <a> <looks> {~plant} and told {third} nothing.",
        '"what {thing}?" {~said} <name> <how>, and {third} {~went} away.',
        "but <who> <how> spoke of <a> <natures> {~beast} and <a> {~taste} {~food}, until {third} was {~feeling}.",
    ],
    "thanks": [
        "after {deadline}, <pal> [took|lifted|pulled|drew] <it> out of the {nook} and thanked <name> <how>.",
        '"you told nobody, {hero}," {~said} <pal> <how>, and let {hero.him} hold <it>.',
        "<it> was still {~by} the {nook}, and <pal> was {~feeling} <and> {~feeling}.",
    ],
    "blab": [
        '"{~by} the {nook} {~at} the {place}," {~said} <name> <how>.',
        "<then> <who> told {third} <how> about the {nook} {~at} the [|{~air} ]{place}.",
        "and {hero}, {~feeling} <and> {~feeling}, told {third} everything.",
    ],
    "loss": [
        "{third} {~went} {~to} the [|{~air} ]{place} and <how> [took|accepted|grabbed|seized|received] <it>.",
        "when <pal> [looked|peered|searched|hunted|peeked] {~by} the {nook}, <it> was gone.",
        "soon {third} <how> had the {thing}, and <pal> only an empty {nook}.",
    ],
    # 9. Something borrowed breaks; it is mended and confessed, or hidden.
    "borrow": [
        "<lend> <use:thing> <day> <road> <sense> <crash> <mood> [<mend> <confess> <cheer> <glad> | <mend> "
        "<shelter> <confess> <cheer> <glad> | <hide> <exposed> <blame> <sorry>]",
        "<meet> <lend> <mood> <day> <road> <shelter> <crash> [<mend> <confess> <cheer> <glad> | <hide> "
        "<exposed> <blame> <sorry>]",
    ],
    "lend": [
        "<then> <pal> <how> lent <who> a {look} {thing} until {deadline}.",
        '"you may have my {look} {thing} until {deadline}," {~said} <pal> <how> to {hero}.',
        "<then> <who> borrowed a {look} {thing} from <pal> and <how> promised to bring it back before {deadline}.",
        '"be careful with my {thing}; it is {look}," {~said} <pal> <how>. "I need it before {deadline}."',
    ],
    "crash": [
        "there <who> <how> dropped <it> {~by} a {nook}, and it broke.",
        "<a> {~nature} {beast} <how> knocked the {thing} against a {nook}; it broke.",
        "<then> <who> fell <how> over a {nook} and [broke|cracked|split|burst|shattered] <it> of {friend}.",
        "then the {thing} slipped <how> {~by} a {nook} and broke into {~count} pieces.",
    ],
    "mend": [
        "<then> the {role} {~at} the [|{~air} ]{place2} <how> [mended|repaired|fixed|restored] <it>, and "
        "{role.he} asked {~count} coins for it.",
        "<then> <who> {~went} to <a> {~nature} {role}, and {role.he} <how> "
        "[mended|repaired|fixed|restored] the {thing}.",
        "for {~span} <who> <how> glued and patched <it> with {hero.his} {kin}.",
        '"I can mend a {thing}," {~said} <a> {~nature} {role} <how>, and so {role.he} did.',
    ],
    "confess": [
        "before {deadline} <who> <how> [gave|handed|passed|offered] the {thing} back to <pal> and told "
        "{friend.him} about the {nook}.",
        '"I [broke|cracked|split|burst|shattered] your {thing}, {friend}, but it is mended," {~said} <name> <how>.',
        "<then> <pal> [took|accepted|grabbed|seized|received] <it> and <how> forgave {hero.him} the {nook}.",
        "when {deadline} came, <pal> had {friend.his} {look} {thing} again, and <who> told {friend.him} everything.",
    ],
    "hide": [
        "<then> <who> <how> [hid|buried|concealed|stowed|tucked away] the broken {thing} {~by} <a> <looks> {~nook}.",
        '"I never had a {thing}," <who> <how> told {hero.his} {kin}.',
        '"a {beast} did it," <who> <how> said to {hero.his} {kin}, and buried the {thing} beside <a> <looks> {~plant}.',
    ],
    "exposed": [
        "when {deadline} came, <pal> <how> asked for <it>, and <who> had only the pieces.",
        "<then> <pal> [found|discovered|spotted|noticed|saw] <it> <how>, broken, before {deadline}.",
        '"where is my {thing}?" {~said} <pal> <how>. "{deadline} is over."',
    ],
    # 10. A pupil wants to learn a craft, pays with a deed, and shows the craft at the end.
    "pupil": [
        "<long> <day> <road> <master> <bargain> <mood> <toil> <shelter> [<learn> <show> <cheer> <glad> | "
        "<learn> <show> <cheer> <glad> | <lazy> <blame> <sorry>]",
        "<long> <meet> <master> <bargain> <toil> <day> <toil> [<learn> <mood> <show> <cheer> <glad> | "
        "<lazy> <mood> <blame> <sorry>]",
    ],
    "long": [
        "<then> <who> <how> wanted to {craft} like {friend}, but could not.",
        '"I want to {craft}!" {~said} <name> <how> to {friend}.',
        "<then> <who> dreamed for {~span} that <who> {craft.past} <how>.",
        "<then> <pal> {craft.past} <how>, and {hero}, {~feeling} <and> {~feeling}, watched.",
    ],
    "master": [
        "{~at} the [|{~air} ]{place} lived <a> {~nature} {role} who {craft.past} like {~like}.",
        "<a> {~nature} {role} {~at} the [|{~air} ]{place} had {craft.past} <how> for {~span}.",
        "nobody {~at} the [|{~air} ]{place} {craft.past} like the {~nature} {role}, <how> and <how>.",
    ],
    "bargain": [
        '"{deed} until {deadline}, and I teach you to {craft}," {~said} the {role} <how>.',
        '<then> the {role} <how> showed {role.his} {look} {thing}; "{deed} until {deadline}, and I teach you."',
        "if <who> would {deed} until {deadline}, {role.he} would <how> teach {hero.him} to {craft}.",
        '"will you teach me to {craft}?" asked <name> <how>. "if you {deed} until {deadline}," {~said} the {role}.',
    ],
    "toil": [
        "<then> <who> <how> {deed.past} for {~span}.",
        "<then> <who> {deed.past}, {~feeling} <and> {~feeling}, and the {role} "
        "[watched|listened|waited|nodded|smiled] <how>.",
        "every {~part} <who> {deed.past} <how> {~by} <a> <looks> {~nook}.",
        "<then> <pal> came and <how> {deed.past} too, for <a> {~taste} {~food}.",
        "{role.he} <how> [gave|handed|passed|offered] {hero.him} <a> {~taste} {~food}, and <who> {deed.past}.",
    ],
    "learn": [
        "when {deadline} came, the {role} <how> taught <who> to {craft}.",
        '"{deadline} is here," {~said} the {role} <how>, and {role.he} taught <who> to {craft}.',
        "and {role.he} kept {role.his} word: for {~span} <who> <how> learned to {craft}.",
        "then the {role} {craft.past}, and <who> {craft.past} <how> beside {role.him}.",
    ],
    "show": [
        "at the {~holiday} <who> {craft.past} <how> before all {town}, and <pal> clapped.",
        '"you {craft} like {~like}!" {~said} <pal> <how>.',
        "<then> <pal> and <who> {craft.past} <how> together at the {~air} {~place}.",
        "<then> <who> {craft.past} for {hero.his} {kin} and <villager>.",
    ],
    "lazy": [
        "but <who> soon {~went} away, and before {deadline} nobody {deed.past}.",
        '"I will not {deed}," {~said} <name> <how>, and the {role} sent {hero.him} away.',
        "<then> <who> slept <how> {~by} <a> <looks> {~nook} and never learned to {craft}.",
    ],
}
