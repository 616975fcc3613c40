"""`[[guard.login]]` and `[guard.lockout]`: which routes are logins, and what guessing costs."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

PathPattern = Annotated[
    str, Meta(pattern=r"^/([A-Za-z0-9._~{}*-]+(/[A-Za-z0-9._~{}*-]+)*)?$", max_length=256)
]
FieldName = Annotated[str, Meta(pattern=r"^[^\s&=]{1,64}$")]
Method = Literal["POST", "PUT", "PATCH", "GET", "DELETE"]
Status = Annotated[int, Meta(ge=200, le=599)]
Preset = Literal["django", "wordpress", "devise", "laravel", "spring", "json"]


class Outcome(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What an answer looks like: everything that is said here holds of it.

    `location` is the path and query of a redirect, `*` stands for anything; `body` is a text that
    stands within the first 16 KiB. Nothing said is like no answer.
    """

    status: tuple[Status, ...] = ()
    location: Annotated[str, Meta(max_length=256)] = ""
    body: Annotated[str, Meta(max_length=256)] = ""


class LoginRoute(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[[guard.login]]`: a route where somebody says who they are, and how to tell how it went.

    A `preset` fills in what is not said: `django`, `wordpress`, `devise` (Rails), `laravel`,
    `spring`, `json` (an API that answers 401). `account` and `password` are names of form fields,
    or of JSON members with dots between (`user.email`). An answer that is like neither outcome
    counts for nothing; one that is like both is a failure.
    """

    path: PathPattern
    method: Method = "POST"
    preset: Preset | None = None
    account: FieldName | None = None
    password: FieldName | None = None
    failure: tuple[Outcome, ...] = ()
    success: tuple[Outcome, ...] = ()

    def __post_init__(self) -> None:
        if self.preset is None and not self.failure:
            raise ValueError("say preset, or what a failure looks like")


class Lockout(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[guard.lockout]`: what guessing passwords costs. Nobody's account is ever locked.

    After `failures` within `window_s` an address is kept out for `block_s`: of the login routes
    (`scope = "login"`), or of everything. A failure is forgiven when the same account then logs in
    from there, and devices that logged in before (`known_device_days`; 0 turns it off) are neither
    counted nor kept out. After `account_failures` an account takes attempts one by one, each later
    by twice as long, up to `longest_delay_s`. `same_password` accounts that failed with one
    password slow that password down; `accounts` that failed from one address, few of them
    succeeding, keep it out even where `failures` are many.
    """

    failures: Annotated[int, Meta(ge=1, le=200)] = 4
    window_s: Annotated[int, Meta(ge=60, le=86_400)] = 900
    block_s: Annotated[int, Meta(ge=60, le=86_400)] = 900
    scope: Literal["login", "all"] = "login"
    account_failures: Annotated[int, Meta(ge=1, le=100)] = 5
    longest_delay_s: Annotated[int, Meta(ge=1, le=3600)] = 60
    accounts: Annotated[int, Meta(ge=2, le=200)] = 10
    same_password: Annotated[int, Meta(ge=2, le=200)] = 10
    known_device_days: Annotated[int, Meta(ge=0, le=400)] = 180
