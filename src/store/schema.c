/* schema.c - the tables of a study file, and the check that a file is one.
 *
 * SQLite's application_id tells a study from other databases, user_version is the version of this schema. A change of
 * the tables is a new version; there is no migration: a study can be made again from its facts. */
#include "store/store_internal.h"

#include <inttypes.h>

enum { APPLICATION_ID = 0x78666c6f /* "xflo" */, SCHEMA_VERSION = 4 };

/* Names, not numbers, so that the file can be read without this source. WITHOUT ROWID: the results of a sample lie side
 * by side, in the order of its runs. A measure that does not exist for a sample (a difference without options) is NULL;
 * the others always exist. lens.run 0 is the baseline, which is no run: write_results.c sees to it that the others are
 * registered. statistic.run is the first repeat of the point.
 *
 * The rows of `value` are many: CASE costs them less than IN, which SQLite answers from a table it makes anew for every
 * row. */
static const char tables[] =
    "CREATE TABLE study ("
    "  key TEXT NOT NULL PRIMARY KEY,"
    "  value TEXT NOT NULL,"
    "  identity INTEGER NOT NULL CHECK (identity IN (0, 1))"
    ") WITHOUT ROWID;"
    "CREATE TABLE sample ("
    "  id INTEGER PRIMARY KEY,"
    "  task TEXT NOT NULL,"
    "  row INTEGER NOT NULL CHECK (row >= 0),"
    "  question_id TEXT NOT NULL,"
    "  image TEXT NOT NULL,"
    "  question TEXT NOT NULL,"
    "  answer TEXT NOT NULL,"
    "  true_option TEXT NOT NULL,"
    "  false_option TEXT NOT NULL,"
    "  object TEXT NOT NULL,"
    "  status TEXT NOT NULL CHECK (status IN ('done', 'wrong', 'fault')),"
    "  reason TEXT NOT NULL CHECK ((status = 'fault') = (reason <> '')),"
    "  predicted TEXT NOT NULL,"
    "  first_token INTEGER NOT NULL,"
    "  first_token_text TEXT NOT NULL,"
    "  probability REAL CHECK (status <> 'done' OR ifnull(probability > 0, 0)),"
    "  n_tokens INTEGER NOT NULL,"
    "  answer_ids TEXT NOT NULL,"
    "  true_token INTEGER NOT NULL CHECK (true_token >= -1),"
    "  groups TEXT NOT NULL,"
    "  notes TEXT NOT NULL,"
    "  grid_h INTEGER NOT NULL,"
    "  grid_w INTEGER NOT NULL,"
    "  picture_w INTEGER NOT NULL,"
    "  picture_h INTEGER NOT NULL,"
    "  fitted_w INTEGER NOT NULL,"
    "  fitted_h INTEGER NOT NULL,"
    "  tokens TEXT NOT NULL,"
    "  boxes TEXT NOT NULL,"
    "  patches TEXT NOT NULL,"
    "  UNIQUE (task, row)"
    ");"
    "CREATE TABLE spec ("
    "  id INTEGER PRIMARY KEY,"
    "  text TEXT NOT NULL,"
    "  mode TEXT NOT NULL CHECK (mode IN ('cut', 'keep', 'random', 'zero attention', 'zero mlp')),"
    "  heads TEXT NOT NULL,"
    "  seed INTEGER NOT NULL CHECK (mode = 'random' OR seed = 0),"
    "  UNIQUE (text, seed)"
    ");"
    "CREATE TABLE run ("
    "  id INTEGER PRIMARY KEY CHECK (id > 0),"
    "  spec INTEGER NOT NULL REFERENCES spec (id),"
    "  repeat INTEGER NOT NULL CHECK (repeat >= 0),"
    "  style TEXT NOT NULL CHECK (style IN ('centre', 'below', 'above', 'outside', 'fixed')),"
    "  window INTEGER NOT NULL CHECK (window >= 0 AND (window > 0) = (style IN ('centre', 'outside'))),"
    "  centre INTEGER NOT NULL CHECK (centre >= 0 AND (centre = 0 OR style <> 'fixed')),"
    "  layers TEXT NOT NULL CHECK (layers <> '' OR style IN ('outside', 'fixed')),"
    "  UNIQUE (spec, repeat, style, window, centre, layers)"
    ");"
    "CREATE TABLE baseline ("
    "  sample INTEGER NOT NULL REFERENCES sample (id),"
    "  measure TEXT NOT NULL CHECK (measure IN ('true', 'whole', 'difference', 'rank', 'flip', 'top')),"
    "  value REAL CHECK (value IS NOT NULL OR measure IN ('true', 'difference')),"
    "  PRIMARY KEY (sample, measure)"
    ") WITHOUT ROWID;"
    "CREATE TABLE value ("
    "  sample INTEGER NOT NULL REFERENCES sample (id),"
    "  run INTEGER NOT NULL REFERENCES run (id),"
    "  measure TEXT NOT NULL CHECK (CASE measure WHEN 'probability' THEN 1 WHEN 'true' THEN 1"
    "    WHEN 'whole' THEN 1 WHEN 'difference' THEN 1 WHEN 'rank' THEN 1 WHEN 'flip' THEN 1"
    "    WHEN 'top' THEN 1 ELSE 0 END),"
    "  value REAL,"
    "  flag TEXT NOT NULL CHECK (CASE flag"
    "    WHEN '' THEN value IS NOT NULL OR measure = 'true' OR measure = 'difference'"
    "    WHEN 'empty_group' THEN value IS NOT NULL OR measure = 'true' OR measure = 'difference'"
    "    WHEN 'no_visible_edge' THEN value IS NOT NULL OR measure = 'true' OR measure = 'difference'"
    "    WHEN 'fully_cut' THEN value IS NULL WHEN 'too_few_keys' THEN value IS NULL ELSE 0 END),"
    "  PRIMARY KEY (sample, run, measure)"
    ") WITHOUT ROWID;"
    "CREATE TABLE answer ("
    "  sample INTEGER NOT NULL REFERENCES sample (id),"
    "  run INTEGER NOT NULL REFERENCES run (id),"
    "  text TEXT NOT NULL,"
    "  PRIMARY KEY (sample, run)"
    ") WITHOUT ROWID;"
    "CREATE TABLE lens ("
    "  sample INTEGER NOT NULL REFERENCES sample (id),"
    "  run INTEGER NOT NULL CHECK (run >= 0),"
    "  position INTEGER NOT NULL CHECK (position >= 0),"
    "  layer INTEGER NOT NULL CHECK (layer >= 0),"
    "  answer REAL,"
    "  answer_upper REAL,"
    "  option REAL,"
    "  option_upper REAL,"
    "  words TEXT NOT NULL CHECK (words GLOB '[[]*]'),"
    "  scores TEXT NOT NULL CHECK (scores GLOB '[[]*]'),"
    "  PRIMARY KEY (sample, run, position, layer),"
    "  CHECK ((answer IS NULL) = (answer_upper IS NULL)),"
    "  CHECK ((option IS NULL) = (option_upper IS NULL))"
    ") WITHOUT ROWID;"
    "CREATE TABLE statistic ("
    "  task TEXT NOT NULL,"
    "  run INTEGER NOT NULL REFERENCES run (id),"
    "  measure TEXT NOT NULL,"
    "  n INTEGER NOT NULL,"
    "  n_empty INTEGER NOT NULL,"
    "  n_without INTEGER NOT NULL,"
    "  mean REAL,"
    "  low REAL,"
    "  high REAL,"
    "  median REAL,"
    "  p REAL,"
    "  r REAL,"
    "  PRIMARY KEY (task, run, measure)"
    ") WITHOUT ROWID;";

cf_status cf_schema_create(cf_store *s, cf_error *err)
{
    cf_status st = CF_OK;
    cf_str marks = {0};
    CF_TRY(cf_str_addf(&marks, err, "PRAGMA application_id = %d; PRAGMA user_version = %d;", APPLICATION_ID,
                       SCHEMA_VERSION));
    CF_TRY(cf_store_exec(s, tables, "write the tables", err));
    CF_TRY(cf_store_exec(s, marks.data, "write the tables", err));
done:
    cf_str_deinit(&marks);
    return st;
}

cf_status cf_schema_check(cf_store *s, bool *empty, cf_error *err)
{
    cf_status st = CF_OK;
    int64_t application = 0, version = 0, n_tables = 0;
    /* One transaction: another process may be creating the study between these. */
    CF_TRY(cf_store_exec(s, "SAVEPOINT look", "read the study's schema", err));
    CF_TRY(cf_store_query_i64(s, &application, "PRAGMA application_id", err));
    CF_TRY(cf_store_query_i64(s, &version, "PRAGMA user_version", err));
    CF_TRY(cf_store_query_i64(s, &n_tables, "SELECT count(*) FROM sqlite_schema", err));
    CF_TRY(cf_store_exec(s, "RELEASE look", "read the study's schema", err));
    *empty = application == 0 && version == 0 && n_tables == 0;
    if (*empty)
        goto done;
    if (application != APPLICATION_ID)
        st = cf_fail(err, CF_FORMAT, "%s: expected a crossflow study, found another SQLite database", s->path);
    else if (version != SCHEMA_VERSION)
        st = cf_fail(err, CF_FORMAT, "%s: expected study schema version %d, found %" PRId64 " (another crossflow)",
                     s->path, SCHEMA_VERSION, version);
done:
    return st;
}
