"""Which fingerprints are SQL injected into a value: shapes of up to five kinds of token.

A shape has one set of kinds for each place. Kinds are `sqltokens`' in upper case (types and
statements share `T`). Measured, not copied: all sequences of kinds that folding can leave were
asked of libinjection, and the shapes written that hold for those it calls an attack and for no
other (docs/why/0046). A sequence that folding cannot leave may be in a shape or not.
"""

_SHAPES = """
1NSV|C  1V|UC  1|S&OKB|V  1E|V|S  1NSV|&KB|1V  1NSV|K|1NSV  1NSV|KB|1SV  1NSV|U|E;C
1SV|&KB|1SV  1SV|KB|1NSV  1SV|U)|C  E|1NSV|)  E|S|1V)  E|V|NS)  SE|1S|V  SV|&KB|1NSV
SV|&OKB|SV  U|E|1SV  1|NSV|U|E  1E|S|V|;C  1NSV|&|1NSV|U  1NSV|&|1SVK|C  1NSV|&|SE|1SV
1NSV|&|V|SU;C  1NSV|&KBUE|1SV|C  1NSV|&O|1SV|U;C  1NSV|&OKB|SV|;C  1NSV|)|&B|1NSV
1NSV|)|&OB|SV  1NSV|;|T|;  1NSV|B|1NSV|;C  1NSV|U|1SVE;|C  1NSV|U|E|1NSVKF;C  1SE|V|S|;C
1SV|&KB|1NSV|;C  1SV|&U|E|1NSV  1SV|)|&OB|1SV  1SVU|E|1NSV|C  E|1NSV|)|;C  E|1SV|K|N
E|1V|NS)|;C  E|K|1|NSV)  E|K|1S|SV)  E|K|1V|S)  E|K|NS|1)  E|NS|1)|;  E|S|1V)|;C  F|(|)|UC
F|(|1NSV|)  NS|1S|U|E  NSE|1|SV|;C  S|&O|1NSV|U;  S|1&KBE|NSV|C  S|1V|U|E  T|N|1NSV|;
U|E|1NSV|;C  U|E|K|1NSV  V|)|&OB|1NSV  &E|1NS|O|1NSVF|(  &E|1NSV|O|1SV|SUF(
&E|1NSV|O|S(|1SVF(  &E|1NSV|U|E|1NSVKF(  &EF|(|1NSV|)|OU  &ET|1NSV|O|(|1NSVF
&ET|1NSV|O|1SV(|F  &KE|1SV|O|1(|NSVF(  &KE|1SV|O|S(|1SVF(  &KE|S|O|NS(|1F(  &KET|1SV|O|F|(
&KET|S|O|1NSV(|F  &KETF|(|1NSV|O|1NSVF(  &KETF|(|F|(|1NSVF)  1|&|1NSVE|U|E  1|&|E|K|1NSVUF(
1|N|&E(,|F|(  1|N|U|E|1NSVKF(;C  1|N&BUT);|E|(|1NSVF  1|N&U);|E|1NSV|OC  1|NK|)|U|E
1|U|E|1NVK|NSOF(;C  1E|N|U|(|E  1E|NKEF|(|F|(  1E|S|V|;|C  1ET|NF|(|1SV|O  1ET|NF|(|SV|O)
1NS|O|1NV|S(|U  1NS|O|V|;|NETC  1NS|O|V|SOUE|1SVOF(  1NSV|&|1NSV|)|&OUC  1NSV|&|1NSV|U|E(;C
1NSV|&|K|NO|K  1NSV|&|SE|1SV|;C  1NSV|&|VE|S|O;C  1NSV|&B|1NSV|&OKB|1SVF(
1NSV|&BUT|EF|(|1NSVF  1NSV|&BUT);|E|K|(  1NSV|&K|1NSV|;|ETC  1NSV|&K|1SV|E|NK
1NSV|&KB|1NSV|U|E(  1NSV|&KBE|1NSV|U|E  1NSV|&KBUET|1SV|O|1NSVF(  1NSV|&KE|1NSV|;|T
1NSV|&O|(|1NSV|&O),  1NSV|&O|(|SE|SO  1NSV|&O|1SV|&KBET|N  1NSV|&O|1SV|U;|E;C
1NSV|&O|1SVK|&F|(  1NSV|&O|F|(|1NSVEF)  1NSV|&O|K|O(|1NSVF(  1NSV|&O|SK(|SV|O
1NSV|&O)|K|1SV|O  1NSV|&OBUETF,|(|1SV|O)  1NSV|&OKB|1NSV|;|C  1NSV|&OKBUETA),|F|(|F
1NSV|&OKBUETA,|F|(|1NSVF)  1NSV|&OKBUETF,|(|1NSV|O  1NSV|&OKBUETFA,|(|F|(
1NSV|&OUF,|(|E|1NSVKF(  1NSV|&T|NE(|F|(  1NSV|&U|E(|S(|SO  1NSV|&U);|E|1NSV|OC
1NSV|&U;|E|1NSV|OK;C  1NSV|&UETA|(|NSV|O)  1NSV|&UT);|E|K(|1NSVF(  1NSV|)|&|1NSV|OBUF);C
1NSV|)|&O|1NSV|&BU);C  1NSV|)|&OB|1NSV|&OU;C  1NSV|)|&OK|1NSV|&BU;  1NSV|)|&OKBE|F|(
1NSV|)|&OKBE,|(|1NSVF  1NSV|)|&OU|(|E  1NSV|)|;|ET|1NSVOKF(  1NSV|)|B|1(|N  1NSV|)|K|1NSVU|E
1NSV|)|K|B|1NSVF(  1NSV|)|OB|1NSV|&KU;C  1NSV|)|OKB|N|&KU;C  1NSV|;|E|N(|E  1NSV|;|ET|(|1NSVEF
1NSV|;|ET|1NSV|OKT,;C  1NSV|;|ET|1NSVK|O  1NSV|;|ET|KF|(  1NSV|;|N|:|T  1NSV|;|T|1NSV(;|C
1NSV|;|T|1NSVK|OKF(  1NSV|;|T|1NSVOKF|(  1NSV|;|T|NK(|1SVF(  1NSV|;|T|NT(|N
1NSV|A|SVT|O|1NSVF(  1NSV|A|SVT|U|E  1NSV|B|1NSV|&OKB,|1NVF(  1NSV|BU|1SV|O,|NF(
1NSV|E|1NSV|OT|1NSVF(  1NSV|E|O|K|N  1NSV|E|U|1SV|O,C  1NSV|E|U(|F|(  1NSV|E|UF|(|1NSVF
1NSV|K|)|&OBEF|(  1NSV|K|1NSV)|&BE|1SVF(  1NSV|K|1NSV)|;|ET  1NSV|K|1NSV)|B|1NSVF(
1NSV|K|1NSV)|U;|E  1NSV|K|1SV)|&BE|1NSVF(  1NSV|K|1SV)|&OBE|F(  1NSV|K)|U)|E|1NSVKF(
1NSV|KE)|U|E|KF  1NSV|O|(|E|1NSVOKEF(  1NSV|O|1NSVUF|(|E  1NSV|O|1S|VE|SOUF(  1NSV|O|1SU(|E|NK
1NSV|O|1SV|&(|UE(  1NSV|O|1SV|&BT|1NSVEF(  1NSV|O|1SV|&E|1NSVKUF(  1NSV|O|1SV|&KBUETA,|SVF(
1NSV|O|1SV|)|&OKBUEF,;C  1NSV|O|1SV|K)|BUF)  1NSV|O|1SV|S&KBUETA|SV  1NSV|O|1SV|UE|1SVOKF(
1NSV|O|1SV|UT;|ET  1NSV|O|K|1NSV|C  1NSV|O|S|1&KE|NSVUF(  1NSV|O|SV|S&KE|1SVUF(
1NSV|O|SV|UTA|SVTF(  1NSV|T|1NSVEF|(|F  1NSV|T|E|1NSVK(|N  1NSV|T|N|1NSV|OC  1NSV|T|N|;|NET
1NSV|T|N|KET;|N  1NSV|T|N|OET(|1SVF(  1NSV|T|NE(|1NSV|O  1NSV|T|NV|O(|1F(  1NSV|T|T|N|NKET
1NSV|U|E|1K|NSVOF(;C  1NSV|U|E|1NSV|S&OKBUF(),;C  1NSV|U|E|1NSVF|(,;C  1NSV|U|E|1NSVKF;|;C
1NSV|U|E|1VO|NK  1NSV|U|E|SK|1SVOF(;C  1NSV|U|OET|N|1SF(  1NSV|U|OKE|(|E  1NSV|U;|T|N|1NSVF(
1NSV&E|F|(|)|OU  1NSV&KUET|F|(|F|(  1NSV)|&|(|E|NK  1NSV)|U|E|1NSV|OK  1NSV)|U|E|K(|1NSVF(
1NSV)|U|E|KF|(  1NSVE|F|(|)|1NSVOKUF  1NSVE|F|(|N|O,  1NSVE|K|1NSV|U|E(  1NSVET|F|(|)|OF
1NSVU|EF|(|1NSV|O  1S|SV|U|E|K;C  1S|V&OKB|S|;|C  1S|V)|O|1SV|U  1S|V)|O|F|(
1S&KE|V|O|S(|1SVF(  1SE|SK|SV|O|1NSVF(  1SE|SVK|F|(|1NSVF)  1SE|VK|S|O|1NSVF(
1SET|V|OF|(|1NSVF  1SV|&E|K|O|K  1SV|&KB|1NSV|&OB|1N  1SV|&KET|N|E|N  1SV|&O|K|&O(|1NSVF(
1SV|&OKUETFA,|(|NSV|O)  1SV|&T|N|KET|N  1SV|&UT();|E|K|NF  1SV|;|ET|K|1NSVOF(
1SV|E|K|1NSV|UT;C  1SV|E|K|N|UET;C  1SV|E|K|U(|1SVEF(  1SV|F|(|1E)|N  1SV|O|1SV|&BT;|NE
1SV|O()|U|(|E  1SV&KET|F|(|1NSV)|O)  1SVU|E|K(|1SV|O  1SVU|E|K(|F|(  1SVU|E|KF|(|1NSVF
1SVUE|E|K|(|F  1SVUEF|(|E|F|(  1SVUF|(|E|N|K  ;|T|(|E|KF  ;|T|K|N|C  E|1NSV|&B|1NSV|O)
E|1NSV|&OKB,|F|(  E|1NSV|&OKBF,|(|1NSVF  E|1NSV|&OKU;|(|E  E|1NSV|)|&O|1NSVF(  E|1NSV|)|&OK|N
E|1NSV|)|;|ET(C  E|1NSV|)|U;|E  E|1NSV|K|1SV|OK)  E|1NSV|K|N|KU);C  E|1NSV|O|1SV|S&KBUF(),;
E|1NSVO|K|(|E  E|1NSVO|K|N|K  E|1V|N)|OK|N  E|1V|NS)|;|C  E|1VK(|N|)|U  E|F|(|)|1NSV&OKBUF,;
E|F|(|1NSVO|)  E|K|(|1|NSV&OF(),  E|K|(|1SE|SVF(  E|K|(|1SV|S&OF(),  E|K|(|NSE|1F(
E|K|1|N|K);C  E|K|1NSV|&KB,|1NSVF(  E|K|1NSV|&KBUF,;|(  E|K|1NSVOE|K|(  E|K|1S|SV|KF;C
E|K|F|(|1NSVOEF)  E|K|NOF|(|1SVF  E|K|NS|1)|K;C  E|K|O|K(|N(  E|K|S|1V|KF;C  E|K|V|S|OKF;C
E|K(|1NSV|&F|(  E|K(|1NSV|)|&OKU;C  E|K(|1S|V)|O  E|K(|N(|1|O  E|K(|NEF|(|F  E|KF|(|1NSV|&O),
E|KF|(|E|1NSVKF(  E|N|K|N|KBU),;C  E|NK(|1|O|SVF(  E|NS|1)|;|C  E|S|O|NS|1&KBUF(),;
E|V|NS)|O|NSVF(  EF|(|1NSV|&O),|1NSVF  EF|(|1NSV|)|1NSV&OKBUF,;C  EF|(|E|1NSV|&O)
EF|(|EF|(|1NSVEF  ET|(|1|NSV|)  ET|(|1NSV|OF|(  ET|(|1S|V)|O)  ET|(|N|O(|1SVF(  ET|(|NS|1|)
ET|(|V|S)|O)  ET|1NSV|OF|(|1NSVF  ET|N|O(|F|(  ET|N(|F|(|1NSVF)  ETF|(|1NSV|)|OF
F|(|)|&|1NSVKEF(  F|(|)|1&OKBET,|NSVF(  F|(|)|1NSV&OKBUETFA,|(  F|(|)|1NSVE|OUF(
F|(|)|1V&OKBUETA,|SF(  F|(|)|N|1&OUEF(),  F|(|)|N&BUT;|E  F|(|)|NK|1UF()  F|(|)|OE|1NSVKUF(
F|(|)|S&OKBUET,|1SVF(  F|(|)|T;|NET  F|(|)|U|1SVOKETF(;C  F|(|)|UTA|SVTF(
F|(|1NSV|)|1NSV&OKBUETFA,;C  F|(|1NSV)|&O,|NSVF(  F|(|1NSVKT)|,|F(  F|(|E|1NSV|&OK)
F|(|E)|O|K  F|(|KF|(|)  K|1NSV|K|1NSV|U  K|1NSV|K|1SV|OU  K|1NSV|KA|SV|O  K|1NSV|KA,|(|NSVF
K|1NSV|KA,|F|(  K|1SV|O|1SV|SKFA(,  K|F|(|)|OKA,  K|S|O|NS|1KFA(,  KE|1NSV|K,|(|1NSVF
KF|(|1NSV|)|OKA,  N|&OB|(|1NSV|&O  N|1)|O|F|(  N&E|1|O|SV|SUF(  N&E|S|O|1NSV|U
N&KE|1|O|S(|1SVF(  N&KET|1|O|(|1NSVF  NS|1&KBUETA|V|O|SF(  NS|1S|U|E|K;C  NSE|1|SV|;|C
NSV|T;|T|N|NKET  NSVE|KF|(|1SV|O)  S|&O|1NSV(|E|N  S|O|1|N|&UE(,  S|O|1NSV|&)|KUEF
S|O|1NSV|&BT;|NE  S|O|1NSV|&KBUET,|1SVF(  S|O|1NSV|)|&OKBUEF,;C  S|O|1NSV|K)|BUF)
S|O|1NSV|T;|NET  S|O|1NSV|U)|OKEF;C  S|O|1NSV|UTA|SVTF(  S|O|N|&KE(|1SVUF(  S|O|N|1E|VOU(
S|O|NS|1&KBUETFA,|(  SE|1SK|V|O|SF(  SE|1SVK|F|(|1NSVF)  T|(|1NSV|SV|)  T|(|N|1NSV)|O)
T|(|NS|NSV)|O)  T|N|1NSV|;|C  T|N(|1NSV|O|1NSVF(  T|NF|(|1SV|O)  U|(|E|NO(|K  U|E|(|1NSV|O),
U|E|1NSV|;|C  U|E|1NSV|OK,|1NSVF(  U|E|K|1NSV|K,;C  U|E|K|N|K(,;C  U|E|NF|(|)  UEF|(|E|1NSV|O)
UEF|(|E|K(|1NSVF(  UF|(|E|1NSVK|O
"""


def _compiled() -> tuple[dict[tuple[int, str], int], tuple[int, ...]]:
    """Which shapes, as bits, allow a kind at a place; and which have so many places."""
    allowed: dict[tuple[int, str], int] = {}
    lengths = [0] * 6
    for number, shape in enumerate(_SHAPES.split()):
        places = shape.split("|")
        lengths[len(places)] |= 1 << number
        for place, kinds in enumerate(places):
            for kind in kinds:
                allowed[place, kind] = allowed.get((place, kind), 0) | 1 << number
    return allowed, tuple(lengths)


_ALLOWED, _LENGTHS = _compiled()


def is_injection(fingerprint: str) -> bool:
    """Whether a fingerprint of one to five kinds has a shape."""
    if fingerprint == "X":
        return True
    held = _LENGTHS[len(fingerprint)]
    for place, kind in enumerate(fingerprint.upper()):
        held &= _ALLOWED.get((place, kind), 0)
    return bool(held)
