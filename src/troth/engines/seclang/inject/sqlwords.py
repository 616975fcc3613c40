"""SQL's words by the class that libinjection gives them, as it answers (docs/why/0051).

Asked were the words of the manuals of MySQL, PostgreSQL, SQLite, SQL Server, Oracle, DB2 and
Access, and every word of the texts on a Debian system. The words are the dialects'; the class is
measured.
"""

from collections.abc import Mapping
from types import MappingProxyType

_WORDS: Mapping[str, bytes] = {
    "E": (  # what an expression follows
        b" case create insert raiseerror select set update"
    ),
    "U": (  # set operations
        b" except intersect union"
    ),
    "B": (  # groups
        b" having limit"
    ),
    "T": (  # statements
        b" begin call declare delete drop exec execute go goto handler print shutdown try use while"
    ),
    "&": (  # logic
        b" and or xor"
    ),
    "o": (  # operators that are words
        b" between div eqv is like mod not regexp rlike sounds uescape"
    ),
    "A": (  # collation
        b" collate"
    ),
    "t": (  # types
        b" _armscii8 _ascii _big5 _binary _cp1250 _cp1251 _cp1257 _cp850 _cp852 _cp866 _cp932"
        b" _dec8 _eucjpms _euckr _gb2312 _gbk _geostd8 _greek _hebrew _hp8 _keybcs2 _koi8r _koi8u"
        b" _latin1 _latin2 _latin5 _latin7 _macce _macroman _sjis _swe7 _tis620 _ujis _utf8"
        b" anyarray anyelement bigint bigserial binary boolean bytea character cstring decimal"
        b" double float float4 float8 int int1 int2 int3 int4 int8 integer money numeric oid real"
        b" regclass regconfig regdictionary regoper regoperator regproc regprocedure regtype"
        b" serial serial2 serial4 serial8 smallint smallserial text timestamp varchar void"
    ),
    "v": (  # values without parentheses
        b" current_date current_path current_time current_timestamp current_timezone current_user"
        b" localtime localtimestamp null unknown"
    ),
    "1": (  # constants
        b" binary_double_infinity binary_double_nan binary_float_infinity binary_float_nan false"
        b" true"
    ),
    "n": (  # words that begin longer ones, or mean nothing alone
        b" by check cross database do dual for group lock mode natural order out outer password"
        b" right show table trailing unique user user_id user_name waitfor with"
    ),
    "k": (  # clauses, modifiers and the rest
        b" abort accessible against all_users alter analyze as asc asensitive autoincrement before"
        b" blob both cascade change column condition constraint continue count_big cursor"
        b" databases day_hour day_microsecond day_minute day_second dec default delay delayed desc"
        b" describe deterministic distinct distinctrow each else elseif enclosed escaped exit"
        b" explain fetch force foreign from fulltext function grant high_priority hour_microsecond"
        b" hour_minute hour_second ignore in index infile inner inout insensitive interval into"
        b" iterate join keys kill leading leave linear lines load longblob longtext loop"
        b" low_priority master_bind master_ssl_verify_server_cert match maxvalue mediumblob"
        b" mediumint mediumtext merge middleint minute_microsecond minute_second modifies"
        b" no_write_to_binlog notnull nowait offset one_shot open optimize option optionally"
        b" outfile partition precision primary procedure purge range read read_write reads"
        b" references release rename repeat replace require resignal restrict return revoke schema"
        b" schemas second_microsecond sensitive separator signal similar spatial specific sql"
        b" sql_big_result sql_buffer_result sql_calc_found_rows sql_no_cache sql_small_result"
        b" sqlexception sqlstate sqlwarning ssl starting straight_join syscolumns sysobjects"
        b" sysusers terminated then time tinyblob tinyint tinytext top trigger undo unlock"
        b" unsigned usage utc_date utc_time utc_timestamp values varbinary varcharacter varying"
        b" wait when where xp_execresultset year_month zerofill"
    ),
    "f": (  # functions
        b" abs acos adddate addtime aes_decrypt aes_encrypt age any app_name applock_mode"
        b" applock_test array_agg array_cat array_fill array_length array_lower array_ndims"
        b" array_prepend array_to_json array_to_string array_upper ascii asin assemblyproperty"
        b" asymkey_id atan atan2 avg benchmark bin bit_and bit_count bit_length bit_or bit_xor"
        b" bool_and bool_or btrim cast cbool cbrt cbyte ccur cdate cdbl ceil ceiling cert_id"
        b" certencoded certprivatekey changes char char_length character_length charindex charset"
        b" chdir chdrive checksum_agg choose chr cint clng clock_timestamp coalesce coercibility"
        b" col_length col_name collation columnproperty compress concat concat_ws connection_id"
        b" conv convert convert_from convert_to convert_tz cos cot count crc32 csng cume_dist"
        b" curdate curdir current_database current_query current_schema current_schemas"
        b" current_setting currentuser currval cursor_status curtime cvar database_principal_id"
        b" databasepropertyex datalength date date_add date_format date_part date_sub date_trunc"
        b" dateadd datediff datefromparts datename datepart dateserial datetime2fromparts"
        b" datetimefromparts datetimeoffsetfromparts datevalue day dayname dayofmonth dayofweek"
        b" dayofyear db_id db_name dbms_lock.sleep dbms_pipe.receive_message"
        b" dbms_utility.sqlid_to_sqlhash dcount decode decryptbycert decryptbykey"
        b" decryptbykeyautocert decryptbypassphrase degrees dense_rank des_decrypt des_encrypt"
        b" dfirst difference dlast dlookup dmax dmin dsum elt encode encrypt encryptbycert"
        b" encryptbykey encryptbypassphrase enum_first enum_last enum_range eomonth eventdata"
        b" exists exp export_set extract extractvalue field file_id file_idex file_name"
        b" filedatetime filegroup_id filegroup_name filegroupproperty filelen fileproperty"
        b" filetoblob filetoclob find_in_set first_value floor fn_virtualfilestats format"
        b" found_rows from_base64 from_days from_unixtime fulltextcatalogproperty"
        b" fulltextserviceproperty generate_series generate_subscripts get_bit get_byte get_format"
        b" get_lock getattr getdate getutcdate greatest group_concat grouping grouping_id"
        b" has_perms_by_name hashbytes hex host_name hour ident_current ident_incr ident_seed"
        b" identify if iff ifnull iif index_col indexkey_property indexproperty inet_aton"
        b" inet_ntoa initcap instr instrrev is_free_lock is_member is_objectsigned is_rolemember"
        b" is_srvrolemember is_used_lock isdate isempty isfinite isnull isnumeric json_keys"
        b" julianday justify_days justify_hours justify_interval key_guid key_id lag"
        b" last_insert_id last_insert_rowid last_value lastval lcase lead least left length ln"
        b" load_extension load_file locate log log10 log2 lower lower_inc lower_inf lpad ltrim"
        b" make_set makedate masklen master_pos_wait max md5 microsecond mid min minute mkdir"
        b" month monthname name_const netmask nextval now nth_value ntile nullif nz"
        b" object_definition object_id object_name object_schema_name objectproperty"
        b" objectpropertyex oct octet_length old_password opendatasource openquery openrowset"
        b" openxml ord original_db_name original_login overlaps overlay parsename patindex"
        b" percent_rank percentile_disc period_add period_diff permissions pg_advisory_lock"
        b" pg_backend_pid pg_cancel_backend pg_client_encoding pg_conf_load_time"
        b" pg_create_restore_point pg_has_role pg_is_in_recovery pg_is_other_temp_schema"
        b" pg_listening_channels pg_ls_dir pg_my_temp_schema pg_postmaster_start_time"
        b" pg_read_binary_file pg_read_file pg_reload_conf pg_rotate_logfile pg_sleep"
        b" pg_start_backup pg_stat_file pg_stop_backup pg_switch_xlog pg_terminate_backend"
        b" pg_trigger_depth pi position pow power publishingservername pwdcompare pwdencrypt"
        b" quarter quote quote_ident quote_literal quote_nullable quotename radians rand random"
        b" randomblob rank regexp_instr regexp_matches regexp_replace regexp_split_to_array"
        b" regexp_split_to_table regexp_substr release_lock replicate reverse round row row_count"
        b" row_number row_to_json rpad rtrim schema_id scope_identity sec_to_time serverproperty"
        b" session_user set_bit set_byte set_config set_masklen setattr setseed setval sha sha1"
        b" sha2 sign signbycert sin sleep smalldatetimefromparts some soundex space split_part"
        b" sql_variant_property sqlite_version sqrt statement_timestamp stats_date stddev"
        b" stddev_pop stddev_samp str_to_date strcmp strcomp strconv string_agg string_to_array"
        b" strpos stuff subdate substr substring substring_index subtime sum suser_id suser_name"
        b" suser_sid suser_sname sysdate sysdatetime sysdatetimeoffset system_user tan"
        b" tertiary_weights textpos textptr textvalid time_format time_to_sec timediff"
        b" timefromparts timeofday timeserial timestampadd timevalue to_ascii to_base64 to_char"
        b" to_date to_days to_hex to_number to_seconds to_timestamp todatetimeoffset total"
        b" total_changes transaction_timestamp translate trigger_nestlevel trim trunc truncate"
        b" try_cast try_convert try_parse type_id type_name typeof typeproperty ucase uncompress"
        b" unhex unicode unix_timestamp unnest updatexml upper upper_inc upper_inf user_lock.sleep"
        b" using utl_http.request utl_inaddr.get_host_address utl_inaddr.get_host_name uuid"
        b" uuid_short var var_pop var_samp variance varp verifysignedbycert version week weekday"
        b" weekdayname weekofyear width_bucket xml_is_well_formed xmlagg xmlcomment xmlconcat"
        b" xmlelement xmlexists xmlforest xmlformat xmlpi xmlroot xmltype xpath xpath_exists year"
        b" yearweek zeroblob"
    ),
}
# Of several words. Where the beginning of one is no word by itself, it stands here, too.
_PHRASES: Mapping[str, tuple[bytes, ...]] = {
    "B": (
        b"group by",
        b"order by",
        b"partition by",
    ),
    "E": (
        b"execute as",
        b"execute as login",
        b"insert delayed",
        b"insert high_priority",
        b"insert ignore",
        b"insert low_priority",
        b"select all",
        b"select distinct",
        b"waitfor delay",
        b"waitfor receive",
        b"waitfor time",
    ),
    "T": (
        b"begin declare",
        b"begin goto",
        b"begin try",
        b"begin try declare",
        b"create or replace",
        b"insert delayed into",
        b"insert high_priority into",
        b"insert ignore into",
        b"insert into",
        b"insert low_priority into",
        b"load data",
        b"load xml",
    ),
    "U": (
        b"intersect all",
        b"union all",
        b"union all distinct",
        b"union distinct",
        b"union distinct all",
    ),
    "f": (
        b"if exists",
        b"if not",
        b"if not exists",
        b"procedure analyse",
    ),
    "k": (
        b"alter domain",
        b"alter table",
        b"at time zone",
        b"cross join",
        b"for update",
        b"for update nowait",
        b"for update of",
        b"for update skip",
        b"for update skip locked",
        b"for update wait",
        b"full join",
        b"full outer",
        b"full outer join",
        b"in boolean mode",
        b"inner join",
        b"into dumpfile",
        b"into outfile",
        b"left join",
        b"left outer",
        b"left outer join",
        b"lock in share mode",
        b"lock table",
        b"lock tables",
        b"natural full",
        b"natural inner",
        b"natural join",
        b"natural left",
        b"natural left outer",
        b"natural left outer join",
        b"natural outer",
        b"natural right",
        b"not in",
        b"read write",
        b"right join",
        b"right outer",
        b"right outer join",
        b"with rollup",
    ),
    "n": (
        b"at time",
        b"create or",
        b"in boolean",
        b"is distinct",
        b"is not distinct",
        b"lock in",
        b"lock in share",
    ),
    "o": (
        b"is distinct from",
        b"is not",
        b"is not distinct from",
        b"not between",
        b"not like",
        b"not regexp",
        b"not rlike",
        b"not similar",
        b"not similar to",
        b"similar to",
        b"sounds like",
    ),
    "t": (
        b"character varying",
        b"double precision",
    ),
    "v": (
        b"current date",
        b"current degree",
        b"current function",
        b"current function path",
        b"current path",
        b"current schema",
        b"current server",
        b"current time",
        b"current timezone",
    ),
}
_SYMBOLS: Mapping[str, bytes] = {
    "&": b"&& ||",
    "o": b"!! !< != !> %= &= *= += -= /= :: := << <= <> <@ >= >> @> ^= |/ |= ~*",
}


def _classes() -> dict[bytes, str]:
    of = {word.upper(): kind for kind, words in _WORDS.items() for word in words.split()}
    of |= {symbol: kind for kind, symbols in _SYMBOLS.items() for symbol in symbols.split()}
    return of | {phrase.upper(): kind for kind, many in _PHRASES.items() for phrase in many}


CLASSES: Mapping[bytes, str] = MappingProxyType(_classes())
"""By the word in upper case; words of a phrase are one blank apart."""
