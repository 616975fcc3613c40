"""Which fingerprints are SQL injected into a value: shapes of up to five kinds of token.

A shape has one set of kinds for each place. Kinds are `sqltokens`' in upper case (types and
statements share `T`). Measured, not copied: all sequences of kinds that folding can leave were
asked of libinjection, and the shapes written that hold for those it calls an attack and for no
other (docs/why/0051). A sequence that folding cannot leave may be in a shape or not.
"""

_SHAPES = """
X  1NSV|C  1V|UC  1E|V|S  1NSV|&KB|1V  1NSV|K|1NSV  1NSV|KB|1SV  1NSV|U|E;C  1S|S&OKB|V
1SV|&KB|1SV  1SV|KB|1NSV  1SV|U)|C  E|1NSV|)  E|1S|V)  E|S|1V)  E|V|NS)  S|1&OKB|V
SV|&KB|1NSV  SV|&OKB|SV  U|E|1SV  1|NSV|U|E  1NSV|&|1NSV|U  1NSV|&|1SVK|C  1NSV|&|SE|1SV
1NSV|&|V|SU;C  1NSV|&KBUE|1SV|C  1NSV|&O|1SV|U;C  1NSV|)|&B|1NSV  1NSV|)|&OB|SV  1NSV|;|T|;
1NSV|B|1NSV|;C  1NSV|U|1SVE;|C  1NSV|U|E|1NSVKF;C  1S|S&OKB|SV|;C  1S|V&OKB|S|;C
1SV|&KB|1NSV|;C  1SV|&KBE|1NSV|C  1SV|&U|E|1NSV  1SV|)|&OB|1SV  E|1NSV|)|;C  E|1SV|K|N
E|1V|NS)|;C  E|K|1|NSV)  E|K|1S|SV)  E|K|1SV|S)  E|K|NS|1)  E|NS|1)|;  E|S|1V)|;C  F|(|)|UC
F|(|1NSV|)  NS|1&OKB|SV|;C  NS|1S|U|E  S|&O|1NSV|U;  S|1V|U|E  SE|1|NSV|C  SE|1S|SV|;C
T|N|1NSV|;  U|E|1NSV|;C  U|E|K|1NSV  V|)|&OB|1NSV  &E|1NSV|&O|(|1NSVF  &E|1NSV|O|1SV|SOUF(
&E|1NSV|O|S(|1SVF  &E|1NSV|U|E|1NSVKF(  &EF|(|1NSV|)|OU  &ET|1NSV|O|1SV|OF  &ET|1NSV|O|F|(
&KE|1SV|O|1(|NSVF(  &KE|1SV|O|S(|1SVF(  &KE|S|O|NS(|1F(  &KET|S|O|NV|OF  &KETF|(|1NSV|O|1NSVF(
&KETF|(|F|(|1NSVF)  1|&|1NSVE|U|E  1|&|E|K|1NSVUF(  1|N|&E(,|F|(  1|N|U|E|1NSVKF(;C
1|N&BUT);|E|(|1NSVF  1|N&U);|E|1NSV|OC  1|NK|)|U|E  1|U|E|NK(|1NSOF(  1E|N|U|(|E  1E|S|V|;|C
1ET|NF|(|1SV|O  1ET|NF|(|F|(  1ET|NF|(|SV|O)  1NS|O|1NV|S(|U  1NS|O|1SV|S&OKE|SVU
1NS|O|1V|T;|NET  1NSV|&|1NSV|)|&OUC  1NSV|&|1NSV|U|E(;C  1NSV|&|K|&O|1NSVKF(  1NSV|&|S|1VU;|;C
1NSV|&|VE|S|O;C  1NSV|&)|K|N|K  1NSV|&B|1NSV|&OKB|1SVF(  1NSV|&B|1NSVE|K|(
1NSV|&BUT|EF|(|1NSVF  1NSV|&K|1SV)|&|1NSVF(  1NSV|&KB|1NSV|U|E(  1NSV|&KBE|1NSV|U|E
1NSV|&KBUET|1SV|O|1NSVF(  1NSV|&KE|1NSV|;|T  1NSV|&KT|N|;|ET  1NSV|&O|(|1NSV|&O),
1NSV|&O|(|1NSVE|O  1NSV|&O|1SV|&OKBET|N  1NSV|&O|1SV|U;|E;C  1NSV|&O|1SVK|&F|(
1NSV|&O|F|(|1NSVEF)  1NSV|&O|K|O(|1NSVF(  1NSV|&O|SK(|SV|O  1NSV|&O)|OK|1SV|O
1NSV|&OB|1SV|&OKB|1NSVF  1NSV|&OBUETF,|(|1SV|O)  1NSV|&OF|(|N|O,  1NSV|&OK|1SV|E|NK
1NSV|&OKB|1NSV|;|C  1NSV|&OKBUETA),|F|(|F  1NSV|&OKBUETA,|F|(|1NSVF)  1NSV|&OKBUETF,|(|1NSV|O
1NSV|&OKBUETFA,|(|F|(  1NSV|&OUETA|(|NSV|O)  1NSV|&OUF,|(|E|1NSVKF(  1NSV|&T|NE(|F|(
1NSV|&U|E|(|1NSVOF  1NSV|&U;|E|1NSV|OK;C  1NSV|&UT);|E|K(|1NSVF(  1NSV|&UT);|E|KF|(
1NSV|)|&|1NSV|&OBUF);C  1NSV|)|&O|1NSV|&OBU);C  1NSV|)|&OBE|1NSV|OC  1NSV|)|&OK|1NSV|&BU;
1NSV|)|&OKBE|F|(  1NSV|)|&OKBE,|(|1NSVF  1NSV|)|&OU|(|E  1NSV|)|;|ET|1NSVOKF(
1NSV|)|B|1|N&OKU;C  1NSV|)|K|1NSVU|E  1NSV|)|K|B(|1NSVF(  1NSV|)|OB|1NSV|&OKU;C
1NSV|)|OKB|N|&KU;C  1NSV|;|E|N|OKET,;C  1NSV|;|ET|(|1NSVEF  1NSV|;|ET|1NSV|OKT,;C
1NSV|;|ET|SK|SO  1NSV|;|N|:|T  1NSV|;|T|1NSV(;|C  1NSV|;|T|1NSVK|OKF(  1NSV|;|T|1NSVOKF|(
1NSV|;|T|NK(|1SVF(  1NSV|;|T|NT(|N  1NSV|A|SVT|O|1NSVF(  1NSV|A|SVT|U|E
1NSV|B|1NSV|&OKB,|NSVF(  1NSV|BU|1SV|O,|F(  1NSV|E|1NSV|OT|1NSVF(  1NSV|E|O|K|N
1NSV|E|U|1SV|O,C  1NSV|E|U(|F|(  1NSV|E|UF|(|1NSVF  1NSV|K|)|&OBEF|(  1NSV|K|1NSV)|&BE|1SVF(
1NSV|K|1NSV)|;|ET  1NSV|K|1NSV)|B|1NSVF(  1NSV|K|1NSV)|U;|E  1NSV|K|1SV)|&OBE|F(
1NSV|K)|U)|E|1NSVKF(  1NSV|KE)|U|E|KF  1NSV|O|(|E|1NSVOKEF(  1NSV|O|1NSVUF|(|E
1NSV|O|1SV|&KBUETA,|SVF(  1NSV|O|1SV|&OBUT|1SVEF  1NSV|O|1SV|&UE)|KF  1NSV|O|1SV|O)|&OKBUEF,;C
1NSV|O|1SV|OK)|BUF)  1NSV|O|1SV|S&OKE()|U  1NSV|O|1SV|UTA;|T  1NSV|O|K|1NSV|C
1NSV|O|S|1&KBET,|NVF(  1NSV|O|S|1V&KE|SUF(  1NSV|O|SV|SUE|1SVOF(  1NSV|OE|V|OT|1NSVF(
1NSV|OK|1SV|&BE|1NSVF(  1NSV|OK|1SVU|E|NK  1NSV|T|E|1NSVK(|N  1NSV|T|N|1NSV|OC
1NSV|T|N|KET;|N  1NSV|T|N|OET(|1SVF(  1NSV|T|NE(|1NSV|O:  1NSV|T|NVEF|(|1F  1NSV|T|T|N|NKET
1NSV|T,|1NSVF|(|F  1NSV|U|E|1NSV|S&OKBUF(),;C  1NSV|U|E|1NSVF|(,;C  1NSV|U|E|1NSVKF;|;C
1NSV|U|E|1SK|SVOF(;C  1NSV|U|E|1VO|NK  1NSV|U|E|NSK|1OF(;C  1NSV|U|OET|N|1SF(  1NSV|U|OKE|(|E
1NSV|U;|T|N|1NSVF(  1NSV&E|F|(|)|OU  1NSV&KUET|F|(|F|(  1NSV)|&|(|E|NK  1NSV)|U|E|1NSV|OK
1NSV)|U|E|KF|(  1NSV)|U)|E|K(|1NSVF(  1NSVE|F|(|)|1NSVOKUF  1NSVE|K|1NSV|U|E(  1NSVET|F|(|)|OF
1NSVU|EF|(|1NSV|O  1NSVUE|EF|(|F|(  1S|SV|U|E|K;C  1S|V&OKB|S|;|C  1S|V)|O|F|(  1S|V)|O|S|U
1S&KE|V|O|S(|1SVF(  1S&KET|V|O|(|1NSVF  1SE|SK|V|O|SF(  1SE|SVK|F|(|1NSVF)  1SE|VK|S|O|1NSVF(
1SV|&|1NSV|&KBET|N  1SV|&E|K|O|K  1SV|&ET|N|ET|N  1SV|&O|K|&O(|1NSVF(  1SV|&OKUETFA,|(|NSV|O)
1SV|&UT();|E|K|NF  1SV|;|ET|K|1NSVOF(  1SV|E|K|1NSV|UT;C  1SV|E|K|NU(|E  1SV|E|K|U(|1SVEF(
1SV|F|(|1E)|N  1SV|K|1NSV)|&BE|1NSVF(  1SV|O|1SV|&BT;|NE  1SV|O()|U|(|E  1SV&KET|F|(|1NSV)|O)
1SVU|E|K|1SV|O;C  1SVU|E|K(|F|(  1SVU|E|KF|(|1NSVF  1SVUEF|(|E|F|(  1SVUF|(|E|N|K  ;|T|(|E|KF
;|T|K|N|C  E|1NSV|&B|1NSV|O)  E|1NSV|&OKB|1SV|O)  E|1NSV|&OKB,|F|(  E|1NSV|&OKBF,|(|1NSVF
E|1NSV|&OKU;|(|E  E|1NSV|)|&O|1NSVF(  E|1NSV|)|&OK|N  E|1NSV|)|;|ET(C  E|1NSV|)|U;|E
E|1NSV|K|1NSV|K)  E|1NSV|K|N|KU);C  E|1NSV|O|1SV|S&KBUF(),;  E|1NSVE|K|(|F  E|1NSVK|OF|(|1NSVF
E|1NSVO|K|(|E  E|1NSVO|K|N|K  E|1V|N)|K|N  E|1V|NS)|;|C  E|1VK(|N|)|U  E|F|(|)|1NSV&OKBUF,;
E|F|(|1NSVO|)  E|K|(|1E|NSVF(  E|K|(|1SE|SVF(  E|K|(|1SV|S&OF(),  E|K|(|NS|1&OF(),
E|K|1|N)|K);C  E|K|1NSV|&KB,|1NSVF(  E|K|1NSV|&KBUF,;|(  E|K|1NSVOE|K|(  E|K|1S|SV|KF;C
E|K|1S(|V|OF  E|K|F|(|1NSVOEF)  E|K|N|1)|OK;C  E|K|NOEF|(|F  E|K|NS|1)|K;C  E|K|O|K(|N(
E|K|S(|1V|F  E|K|V|S|OKF;C  E|K(|1NSV|)|&OKU;C  E|K(|1SV|&O|1NSVF(  E|K(|N|&(|1SVF(
E|K(|S(|SF|(  E|KF|(|1NSV|&O),  E|KF|(|E|1NSVKF(  E|N|K|N|KBU),;C  E|NK(|1|O|SVF(  E|NS|1)|;|C
E|S|O|1NSV|&KBUF(),;  E|V(|NS|O|NSVF(  EF|(|1NSV|&O),|1NSVF  EF|(|1NSV|)|1NSV&OKBUF,;C
EF|(|E|1NSV|&O)  EF|(|EF|(|1NSVEF  ET|(|1|NSV|)  ET|(|1NSV|OF|(  ET|(|1S|V)|O)  ET|(|N|1)|O)
ET|(|N|O(|1SVF  ET|(|S|1V|)  ET|(|SV|S)|O)  ET|1NSV|OF|(|1NSVF  ET|N(|F|(|1NSVF)
ETF|(|1NSV|O)|F  F|(|)|&OKBET,|1NSVF(  F|(|)|&OUE|1SVKF(  F|(|)|1OKE|NSVUF(  F|(|)|1SVE|SOUF(
F|(|)|K|1NSVUF()  F|(|)|N|1&OUEF(),  F|(|)|N&BUT|1EF(  F|(|)|S&OKBUET,|1SVF(  F|(|)|T;|NET
F|(|)|U|1SVOKETF(;C  F|(|)|UTA|SVTF(  F|(|1NSV|)|1NSV&OKBUETFA,;C  F|(|1NSV)|&O,|NVF(
F|(|1NSVKT)|,|F(  F|(|E|1NSVO|K  F|(|E)|KF|(  F|(|KF|(|)  K|1NSV|K|1NSV|U  K|1NSV|K|1SV|OU
K|1NSV|KA|SV|O  K|1NSV|KA,|(|NSVF  K|1NSV|KA,|F|(  K|1SV|O|1SV|SOKFA(,  K|1SV|OKA,|F|(
K|F|(|)|OKA,  K|S|O|NS|1KFA(,  KE|1NSV|K,|(|1NSVF  KF|(|1NSV|)|OKA,  N|&OB|(|1NSV|&O
N&E|1|O|SV|SOUF(  N&E|S|O|1NSV|U  N&KE|1|O|S(|1SVF(  N&KE|1|O|SVF|(  N&KET|1|O|(|1NSVF
NS|1S|U|E|K;C  NSE|1|SV|;|C  NSE|1K|V|O|SF(  NSV|T;|T|N|NKET  NSVE|KF|(|1SV|O)
S|&O|1NSVK(|F|(  S|&OKT|N|;|ET  S|O|1|N|&UE(,  S|O|1NSV|&BT;|NE  S|O|1NSV|&U)|KEF
S|O|1NSV|)|&OKBUEF,;C  S|O|1NSV|K|1SVBUF()  S|O|1NSV|OU)|OKEF;C  S|O|1NSV|UTA|SVTF(
S|O|1S|VE|SOUF(  S|O|N|&KBUET(,|1SVF(  S|O|N|1UE|VO(  S|O|NS|1S&KE()|U  S|OT|N|ET;|N
SE|1VK|F|(|1NSVF)  T|(|1NV|SV|)  T|(|NS|NSV)|O)  T|N|1NSV|;|C  T|N(|1NSV|O|1NSVF(
T|NF|(|1SV|O)  U|(|E|NO(|K  U|E|(|1NSV|O),  U|E|1NSV|;|C  U|E|1NSV|OK,|1NSVF(  U|E|K|1NSV|K,;C
U|E|K|N|K(,;C  U|E|NF|(|)  UEF|(|E|1NSV|O)  UEF|(|E|K(|1NSVF(  UF|(|E|1NSVK|O
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
