-- The whole database. Runs at every start; every statement may run again.

CREATE TABLE IF NOT EXISTS setting (
    name  text PRIMARY KEY,
    value text NOT NULL
);

CREATE TABLE IF NOT EXISTS customer (
    id       integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    email    text NOT NULL UNIQUE,
    name     text NOT NULL,
    password text NOT NULL,
    joined   timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE IF NOT EXISTS court (
    id      integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    slug    text NOT NULL UNIQUE,
    name    text NOT NULL,
    kind    text NOT NULL CHECK (kind IN ('padel', 'tennis')),
    surface text NOT NULL,
    indoor  boolean NOT NULL,
    cents   integer NOT NULL CHECK (cents >= 0),
    about   text NOT NULL
);

-- An hour on a court, in the venue's wall-clock time.
CREATE TABLE IF NOT EXISTS slot (
    id       integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    court_id integer NOT NULL REFERENCES court,
    day      date NOT NULL,
    starts   time NOT NULL,
    UNIQUE (day, court_id, starts)
);

CREATE TABLE IF NOT EXISTS booking (
    id          integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    slot_id     integer NOT NULL REFERENCES slot,
    customer_id integer NOT NULL REFERENCES customer ON DELETE CASCADE,
    note        text NOT NULL DEFAULT '',
    booked      timestamptz NOT NULL DEFAULT now(),
    cancelled   timestamptz
);

-- Nobody can take an hour that is taken, whatever two requests do at once.
CREATE UNIQUE INDEX IF NOT EXISTS booking_slot_taken_once ON booking (slot_id) WHERE cancelled IS NULL;
CREATE INDEX IF NOT EXISTS booking_of_customer ON booking (customer_id);

CREATE TABLE IF NOT EXISTS photo (
    id          integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    court_id    integer NOT NULL REFERENCES court,
    customer_id integer NOT NULL REFERENCES customer ON DELETE CASCADE,
    file        text NOT NULL UNIQUE,
    uploaded    timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE IF NOT EXISTS message (
    id    integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name  text NOT NULL,
    email text NOT NULL,
    body  text NOT NULL,
    sent  timestamptz NOT NULL DEFAULT now()
);

INSERT INTO court (slug, name, kind, surface, indoor, cents, about) VALUES
    ('baseline', 'Baseline', 'tennis', 'Red clay', false, 2400,
     'Slow, honest clay between two rows of pines. Swept after every hour.'),
    ('volley', 'Volley', 'tennis', 'Grass', false, 3200,
     'Our only grass court: low bounces, short points, open while the ground is dry.'),
    ('passing-shot', 'Passing Shot', 'tennis', 'Hard court', true, 2800,
     'Acrylic hard court under the wooden roof. Same bounce in January as in June.'),
    ('lob', 'Lob', 'padel', 'Blue turf', false, 2000,
     'Open-air padel with a high back wall. The evening sun sits behind it, not in your eyes.'),
    ('smash', 'Smash', 'padel', 'Green turf', true, 2600,
     'Panoramic glass, indoors, eight metres to the roof: nothing stops a good smash.'),
    ('bandeja', 'Bandeja', 'padel', 'Terracotta turf', false, 2200,
     'The quiet one by the garden. Lit until ten, with a bench for those who watch.')
ON CONFLICT (slug) DO NOTHING;
