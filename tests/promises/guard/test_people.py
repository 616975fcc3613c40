"""What people of four languages write into forms: no rule of the pack may take offence at it.

Support tickets, reviews, messages, notes on bookings, names and addresses, Markdown with code in
it. All of it is made up; each line stands for a kind that a rule once refused, or might.
"""

from functools import cache

import pytest

from troth.engines.seclang import Program
from troth.roles.score import PLACES, Place, pack_program, request

ENGLISH = (
    'Use the "--verbose" option, please; without it nobody sees why the import fails.',
    'The "--dry-run" switch may be given more than once.',
    '"#5" means the fifth room from the stairs, and "#5a" the one behind it.',
    "`--offline`: works from a copy. `--offline --quiet`: says nothing either.",
    "Run `select id from guests where city is null` in your console and send me the result.",
    "My query 'SELECT name, mail FROM guests' used to work; since Tuesday it gives an error.",
    "A text may stand in single or double quotes (' or \"), as you like.",
    'The sign " + " adds a guest to the booking; " - " takes one away.',
    'Between two dates we write " " (a space) or "-" (a hyphen).',
    (
        "Only select the rooms from the list that you have "
        "seen. However, if the list is empty, call us."
    ),
    "I usually select a table from the plan between noon and one, or whenever there is room.",
    "In that case the --force flag is needed, or else the old file stays.",
    "Everything is as before, except #parking is now free.",
    "The manual says that sleep() waits and that alarm() wakes; I use neither.",
    "sleep(3) may return earlier than one would think, says the manual.",
    '"Early bird" or "night owl" is the question on page two of your form.',
    "'Sea view' or (cheaper) 'garden view' would both be fine with us.",
    "The <script> tag must go into the page's head, where I cannot write.",
    "Put the snippet between <head> and the first <script>, then tell me.",
    "Formulas begin with <math> and end with </math>, says our editor.",
    'Add <base href="shop"> to the page, as your article says.',
    'Log levels are "info" (0), "warning" (1), "alert" (2) and "fatal" (3).',
    'gcloud run deploy api --image="api:3" --location="europe-west6" worked for me.',
    (
        'See "Password change" in the guide (chapter "Users, '
        'roles, top") about alert (mail and phone).'
    ),
    "See alarm(2), sleep(3), usleep(3), time(7).",
    'Read "About branches" in git-fetch(1), then try again.',
    'Warning: the "--%s" option is gone; take "--all" instead.',
    "```\nls -l /etc\ncat /etc/hostname\n```\nprints nothing.",
    "``` bash\nnpm install && npm run build\n```",
    "self.price = guests * self.rate\nself.save()",
    "`--eval` (or `-e`) takes a script; `setTimeout`, `setInterval` and `fetch` are there.",
    "The `process.kill()` method sends the signal to the process named.",
    'For `--list` the answer is `"*"`, for `--one` it is `"/"`.',
    "A host name that is not valid in the `hostname` property is ignored.",
    "* `dir`: the folder\n* `name`: its name\n* `date`: when it was made",
    "at(1) or batch(1) run a job later; which one do you use?",
    "phpinfo() shows nothing unusual on our side, said the host.",
    "At the end of each line stands a NUL, written %00 in addresses.",
    "Our prices: 12,50 EUR (was 15.-), -10 % for two; 3 for the price of 2 -- today only!",
    "Mr O'Brien & Ms D'Arcy, 2 adults + 1 child (5 y/o), non-smoking; arrival @ 10 p.m.",
    "Is 1 or 2 = the number of beds? I'd like both, and a cot, or nothing.",
    "Drop me a line -- or two -- at anna+book@mail.example; I'm in until 5.",
    "Can you insert my colleague into the group and delete me from it, where that is possible?",
    "Please update our table to 8 people and set the time = 19:30.",
    "Having said that, we'd order by phone; group of 12, limit 40 EUR a head.",
    "The union of both lists; select all names from the second where the first has none.",
    "Create table cards for each guest, and alter the seating as you like.",
    "Case in point: when it rains then the terrace is closed, else it is open until the end.",
    "I paid 2 * 45 = 90 EUR, i.e. 90/2 each; see http://pay.example/a?x=1&y=2#z.",
    "> did you get my mail?\n> > no\nYes, today.\n\n-- \nSam O'Neill\nT: +44 20 7946 0000",
    "Error: Cannot read properties of undefined (reading 'map')\n    at App (app.js:12:7)",
    "TypeError: open() got an unexpected keyword argument 'newline'",
    "ls -l shows nothing; cd works; cat prints the file. What else can I try?",
    "1. `npm install`\n2. `npm run build && npm start`\n3. open <http://localhost:3000>",
    (
        "# Notes\n\n* **bold**, _italic_, ~~gone~~\n* [a "
        'link](https://book.example/?a=1&b=2 "A title")\n'
    ),
    "| room | price |\n|------|-------|\n| 12   | 80 EUR |\n| 13   | 95 EUR |\n",
    "```\nguests = [g for g in all_guests if g.city]\nprint(len(guests))\n```\nprints 0. Why?",
    'The answer was {"error": "no such room", "room": 17}, with status 404.',
    "if (a < b && b > c) then swap; I mean a <-> b, or a <= b <= c.",
    "Love it <3 <3 5/5 *****, 10/10 would come again!!! 😀👍🏽",
    "שלום, 2 חדרים & مرحبا (حجز)",
)
GERMAN = (
    'Mit der Option "--alles" ging es; ohne "--alles" leider nicht.',
    "sleep(3) kann laut Handbuch auch früher zurückkehren.",
    "„Zimmer mit Aussicht“ oder \u201aZimmer zum Hof\u2018 \u2013 beides wäre uns recht.",
    "Hans' Geburtstag -- wir wären zu acht -- fällt auf den 3.5.; geht's um 18 Uhr?",
    "Und wie wär's mit 'nem Rabatt? Oder 'ner Flasche Wein?",
    "Bitte 'Ja' oder 'Nein' ankreuzen; bei 'Nein' bitte Grund angeben (max. 80 Zeichen).",
    "Preis: 1.234,56 € (inkl. 19 % MwSt.) | -5 % Skonto | Konto DE89 3704 0044 0532 0130 00",
    "Straße & Hausnr.: Müller-Lüdenscheidt-Weg 5/7, c/o Müller; Etage 3 = links",
    "Der Befehl `select * from gaeste` liefert bei mir nichts.",
    "Das <script>-Tag darf ich auf unserer Seite nicht selbst einbauen.",
    "In den Tabellen fehlt alles außer #42 und #43.",
    "Grüße\n--\nJürgen Weiß\nTel.: 030/123456 (Mo-Fr, 9-17 h)",
    "Fehler 500: 'Verbindung verloren' (siehe Anhang). Und nun?",
    "Wir säßen gern drüben, d. h. am Fenster; 2+2 Plätze, 1x vegan.",
)
ITALIAN = (
    'L\'opzione "--tutto" non c\'è più; c\'è "--tutti" al suo posto.',
    "Realtà -- che bella parola! -- o sogno?",
    "L'hotel d'Unione e' bello, pero' l'acqua non c'e'; l'anno scorso c'era.",
    "Vorrei 2 camere da 80 €/notte o 1 da 150; sull'altra dell'ultimo piano c'è vista?",
    "«Tutto incluso» o 'mezza pensione' per noi è uguale.",
    "Seleziona da o per l'aeroporto, e l'ora; se l'ora non c'è, scrivi all'ufficio.",
    "Via dell'Orto, 12/b -- scala A, int. 3; citofono 'D'Amico & Figli'",
    "Perché select? Da un elenco scelgo, non 'select'.",
    "Il comando `ls -la` non mostra niente; `cd` sì.",
    "Ciao,\nho pagato 2*45=90 € ma ne risultano 45. Com'è?\n--\nAnna D'Angelo\ntel. 02/1234567",
    "Un po' d'olio, un po' d'aceto & 'nu babbà.",
    "E' vero o no? E' gratis o a pagamento? Po' essere...",
)
FRENCH = (
    "l'hôtel d'Union n'est qu'à deux pas d'ici, n'est-ce pas ?",
    "« L'été indien » ou « l'hiver d'or » ; c'est l'un ou l'autre.",
    'Utilisez l\'option "--tout" si vous voulez vraiment tout réinitialiser.',
    "EXECUTE n'est pas un mot d'ici ; l'appel d'offres, si.",
    "Le libre est un mouvement ; il est à la base de l'Open Source ; il dure.",
    "Aujourd'hui l'ordre par nom et l'union des listes n'ont rien donné : j'ai 0 résultat.",
    "J'ai réservé 2 chambres à 90 € l'une (soit 180 €) ; d'où vient l'écart de -10 % ?",
    "La commande `select nom from clients` n'affiche plus rien depuis l'autre jour.",
    "Jean-Louis d'Ormesson & fils, 3 bis rue de l'Église, bât. C ; code = 12A#",
    "sleep() rend zéro si le temps prévu s'est écoulé, dit l'aide.",
    "phpinfo() montre bien l'extension, d'après l'hébergeur.",
    "L'adresse ? C'est « contact@l-atelier.example » ; tél. : 01 23 45 67 89.",
    "Ajoutez <base href=\"boutique\"> à l'en-tête, comme l'indique l'aide.",
    "Bien à vous,\n-- \nL'équipe de l'Atelier d'Anna",
)
ALL = ENGLISH + GERMAN + ITALIAN + FRENCH


@cache
def pack() -> Program:
    return pack_program()


@pytest.mark.parametrize("place", PLACES[:3])
def test_what_people_write_passes_in_every_field(place: Place):
    verdicts = {text: pack().inspect(request(text.encode(), place)) for text in ALL}

    assert {text: verdict.rules for text, verdict in verdicts.items() if verdict.is_disrupted} == {}
