-- One REDCap server in one file. Everything a client stores is text, as in REDCap.
-- Statements are told apart by their semicolons: keep them out of comments.
create table server (key text primary key, value text not null) without rowid;

create table project (
    id integer primary key autoincrement,
    revision integer not null default 0,      -- grows with every change of structure
    settings text not null,                   -- JSON object: project information, strings
    dictionary text not null                  -- JSON list of metadata rows, 18 keys each
);
create table arm (
    project integer not null references project (id) on delete cascade,
    number integer not null,
    name text not null,
    primary key (project, number)
) without rowid;
create table event (
    id integer primary key autoincrement,
    project integer not null,
    arm integer not null,
    label text not null,
    name text not null,
    custom_label text,
    day_offset real not null,
    offset_min real not null default 0,
    offset_max real not null default 0,
    unique (project, name),
    foreign key (project, arm) references arm (project, number) on delete cascade
);
create table designation (
    event integer not null references event (id) on delete cascade,
    form text not null,
    primary key (event, form)
) without rowid;
create table repeating (                      -- form '' when the event itself repeats
    event integer not null references event (id) on delete cascade,
    form text not null,
    label text not null default '',
    primary key (event, form)
) without rowid;

create table account (
    username text primary key,
    email text not null default '',
    firstname text not null default '',
    lastname text not null default '',
    suspended integer not null default 0,
    password text not null default ''         -- salt and scrypt of it, '' when none was set
) without rowid;
create table access_group (
    id integer primary key autoincrement,
    project integer not null references project (id) on delete cascade,
    label text not null,
    name text not null,
    unique (project, name)
);
create table role (
    id integer primary key autoincrement,
    project integer not null references project (id) on delete cascade,
    name text not null,
    label text not null,
    rights text not null,
    unique (project, name)
);
create table member (
    project integer not null references project (id) on delete cascade,
    username text not null references account (username),
    rights text not null,
    expiration text not null default '',
    role integer references role (id),
    access_group integer references access_group (id),
    token text unique,
    primary key (project, username)
) without rowid;
create table membership (                     -- the groups a user may switch between
    project integer not null,
    username text not null,
    access_group integer not null,            -- 0: no group
    primary key (project, username, access_group),
    foreign key (project, username) references member (project, username) on delete cascade
) without rowid;

create table record (
    id integer primary key autoincrement,
    project integer not null references project (id) on delete cascade,
    name text not null,
    access_group integer references access_group (id),
    locked integer not null default 0,
    unique (project, name)
);
create table value (                          -- a ticked checkbox option is one row: field___code = 1
    record integer not null references record (id) on delete cascade,
    event integer not null references event (id) on delete cascade,
    instance integer not null,                -- 1 also where nothing repeats, as in REDCap
    field text not null,
    value text not null,
    primary key (record, event, instance, field)
) without rowid;

create table log (
    id integer primary key autoincrement,
    project integer not null references project (id) on delete cascade,
    time text not null,                       -- YYYY-MM-DD HH:MM:SS, the server's clock
    username text not null,
    kind text not null,                       -- export, manage, user, record_add, record_edit, record_delete
    action text not null,
    details text not null,
    record text not null default '',
    access_group integer,
    event integer,                            -- where a change of values was, null for all else
    instance integer not null default 0,      -- of the repeating row, 0 where nothing repeats
    changes text not null default ''          -- JSON list of [field, value, code of a checkbox option]
);
create index log_record on log (project, record, time);

create table form_lock (                      -- forms that nobody changes until they are unlocked
    record integer not null references record (id) on delete cascade,
    event integer not null references event (id) on delete cascade,
    instance integer not null,
    form text not null,
    username text not null,                   -- by whom and when
    time text not null,
    primary key (record, event, instance, form)
) without rowid;

create table form (                           -- what the dictionary does not say about a form
    project integer not null references project (id) on delete cascade,
    name text not null,
    label text not null,
    survey integer not null default 0,
    primary key (project, name)
) without rowid;
create table document (                       -- uploaded files, a field of type file holds the id
    id integer primary key autoincrement,
    project integer not null references project (id) on delete cascade,
    name text not null,
    mime text not null,
    content blob not null
);
create table folder (
    id integer primary key autoincrement,
    project integer not null references project (id) on delete cascade,
    parent integer references folder (id) on delete cascade,
    name text not null,
    access_group integer references access_group (id),
    role integer references role (id)
);
create table repository (                     -- the documents of the File Repository, folder null: top level
    document integer primary key references document (id) on delete cascade,
    folder integer references folder (id) on delete cascade,
    deleted text not null default ''          -- time of deletion: documents stay 30 days in the recycle bin
) without rowid;
create table report (
    id integer primary key autoincrement,
    project integer not null references project (id) on delete cascade,
    title text not null,
    fields text not null,                     -- JSON list of field names in the report's order
    logic text not null default '',
    sort text not null default '[]'           -- JSON list of columns, -column for the highest first
);
create table quality_rule (                   -- what no row of a record should be: data quality rules, in order of id
    id integer primary key autoincrement,
    project integer not null references project (id) on delete cascade,
    name text not null,
    logic text not null,
    live integer not null default 0           -- also executed when a form is saved
);
create table randomization (                  -- one model, what REDCap calls rid is its id
    id integer primary key autoincrement,
    project integer not null references project (id) on delete cascade,
    target_field text not null,
    target_event text not null,
    strata text not null,                     -- JSON list of [field, unique event name]
    by_group integer not null default 0,
    triggered text not null default ''        -- JSON list of form, event, logic and whether by everybody
);
create table allocation (                     -- one row of an allocation table, used in order of id
    id integer primary key autoincrement,
    randomization integer not null references randomization (id) on delete cascade,
    production integer not null,
    number text not null,
    code text not null,
    strata text not null,                     -- JSON list of codes, in the order of the model's strata
    access_group integer,
    record integer references record (id) on delete set null,
    used text not null default ''
);
create index allocation_free on allocation (randomization, production, strata, access_group, id);
