"""SQL's own words, by the part they play: standard and the five big dialects.

Sources: ISO/IEC 9075-2 (keywords), and the manuals of MySQL 8.4, PostgreSQL 17, SQLite 3.47,
SQL Server 2022 and Oracle 23 for what each adds. A word in none of these tables is a name.
"""

LOGICAL = frozenset(b"and or xor".split())

# Binary operators that are words: an operand before, an operand after.
OPERATORS = frozenset(
    b"like rlike regexp ilike glob div mod in is between similar collate escape overlaps sounds"
    b" contains member uescape".split()
)
COMPARING = frozenset(b"like rlike regexp ilike glob in is between similar sounds member".split())
POSTFIX = frozenset(b"isnull notnull".split())

# What may stand before an operand.
UNARY = frozenset(
    b"not binary prior distinct distinctrow all any some exists interval high_priority"
    b" sql_calc_found_rows sql_no_cache straight_join top unique row array real match".split()
)
# Values without parentheses: constants, and what every dialect knows of itself.
CONSTANTS = frozenset(
    b"null true false default unknown current_user current_date current_time current_timestamp"
    b" current_role current_schema current_catalog session_user system_user localtime"
    b" localtimestamp utc_date utc_time utc_timestamp sysdate systimestamp rownum".split()
)
# Words that open the next clause of a statement, after an operand.
CLAUSES = frozenset(
    b"union intersect except minus order group having limit offset into procedure for lock where"
    b" from on using join inner outer left right cross natural set values as asc desc"
    b" when then else end returning fetch with within over partition rows against separator".split()
)
STATEMENTS = frozenset(
    b"select insert update delete drop alter create truncate exec execute declare set if while"
    b" begin end shutdown waitfor call do handler copy grant revoke load merge replace print"
    b" raiserror use show prepare deallocate attach detach pragma rename kill lock unlock commit"
    b" rollback savepoint explain analyze vacuum reindex backup restore dump bulk reconfigure"
    b" dbcc open fetch close return throw goto values with table perform describe desc"
    b" listen notify".split()
)
# What a statement's verb needs behind it, so that it is more than a verb of the language.
OBJECTS = frozenset(
    b"table database schema view index function procedure trigger user role login sequence event"
    b" tablespace server column temporary temp unlogged materialized or unique aggregate extension"
    b" type domain rule policy publication assembly synonym package directory proc certificate"
    b" fulltext clustered nonclustered global local external language operator".split()
)
# ... and these begin one only behind a semicolon: SQL Server, which needs none, has them not.
SEPARATED = frozenset(
    b"show open close call do copy load prepare handler attach detach rename explain describe desc"
    b" analyze pragma vacuum listen notify lock unlock perform use end print with return".split()
)
UPDATED = frozenset(b"set".split())

# A call of these acts, waits or tells by itself: it needs no comparison to be an attack.
# Their names are SQL's alone, or take what only SQL's take; `is_effect` in sqlgrammar decides.
EFFECTS = frozenset(
    b"sleep benchmark pg_sleep pg_sleep_for pg_sleep_until load_file extractvalue updatexml"
    b" get_lock release_lock pg_read_file pg_read_binary_file pg_ls_dir pg_stat_file lo_import"
    b" lo_export lo_get dblink dblink_connect dblink_exec query_to_xml database_to_xml"
    b" table_to_xml xpath_exists load_extension writefile readfile fts3_tokenizer randomblob"
    b" zeroblob opendatasource openrowset openquery sys_exec sys_eval sys_get xp_cmdshell"
    b" make_set name_const group_concat listagg string_agg xmlagg xmltype generate_series"
    b" row_count found_rows current_setting set_config pg_terminate_backend"
    b" master_pos_wait fn_xe_file_target_read_file fn_get_audit_file fn_trace_gettable"
    b" sqlite_version hex2raw rawtohex ctxsys httpuritype updatexml gtid_subset"
    b" st_latfromgeohash st_longfromgeohash st_pointfromgeohash json_keys row_to_json"
    b" geometrycollection multipoint polygon multipolygon linestring multilinestring"
    b" procedure_analyse if_sleep sqlite_compileoption_used sqlite_compileoption_get".split()
)
EFFECT_PREFIXES = (b"dbms_", b"utl_", b"xp_", b"sp_", b"sys.", b"ctxsys.", b"master.", b"master..")

# Functions that SQL shares with prose's parentheses and other languages: they count in an
# expression, never alone.
FUNCTIONS = frozenset(
    b"abs ascii asciistr avg bin bit_length cast ceil ceiling char char_length character_length chr"
    b" coalesce compress concat concat_ws connection_id conv convert cos count crc32 curdate"
    b" current_date current_user database datediff db_name dayname decode degrees des_encrypt elt"
    b" encode encrypt exp export_set field find_in_set floor format from_base64 from_unixtime"
    b" getdate greatest hex host_name hour ifnull iif inet_aton inet_ntoa insert instr isnull"
    b" json_array json_depth json_extract json_length json_object json_valid json last_insert_id"
    b" lcase least left len length likelihood likely locate log lower lpad ltrim max md5 mid min"
    b" minute mod newid nchar now nullif object_id oct octet_length ord overlay password patindex"
    b" pi position pow power quote quotename radians rand random regexp_substr repeat replace"
    b" replicate reverse right round row_number rpad rtrim schema schema_name session_user sha sha1"
    b" glob sha2 sign sin soundex space sqrt stddev str strcmp string_to_array stuff subdate substr"
    b" substring sum suser_name suser_sname sysdate system_user tan time_to_sec to_base64 to_char"
    b" to_date to_number total_changes trim truncate typeof ucase uncompress unhex unicode"
    b" unistr unix_timestamp unlikely upper user user_name utc_date uuid variance version weekday"
    b" xpath xmlelement xmlforest year unnest starts_with jsonb_pretty json_build_object"
    b" if quote nvl nvl2 bitand"
    b" is_srvrolemember has_dbaccess is_member serverproperty error_message tonumber".split()
)

# Without arguments these tell who and where one is.
IDENTITY = frozenset(
    b"user current_user session_user system_user database schema version db_name connection_id"
    b" sqlite_version user_name host_name suser_name".split()
)

# Types that PostgreSQL's `::` casts to; not those that are names in C++ or Ruby as well.
TYPES = frozenset(
    b"int int2 int4 int8 integer bigint smallint numeric real double float4 float8 json jsonb xml"
    b" varchar bpchar bytea regclass regproc text money inet uuid".split()
)

# Names that only a database's own catalogue has.
CATALOGUES = (
    b"information_schema", b"pg_catalog", b"sqlite_master", b"sqlite_schema", b"sysobjects",
    b"syscolumns", b"sysdatabases", b"sysusers", b"mysql.user", b"mysql.db", b"all_tables",
    b"user_tables", b"dba_users", b"msysaccessobjects", b"pg_user", b"pg_shadow", b"pg_tables",
    b"pg_class", b"pg_database", b"v$version", b"sysibm", b"syscat", b"sys.tables", b"rdb$",
    b"master.dbo", b"master..", b"performance_schema", b"sqlite_temp_master",
)  # fmt: skip
# Global variables (`@@name`) of MySQL and SQL Server that tell where one is.
GLOBALS = frozenset(
    b"version hostname datadir basedir servername language tmpdir version_compile_os identity"
    b" rowcount error spid servicename secure_file_priv global session plugin_dir port"
    b" character_set_database max_allowed_packet version_comment".split()
)
