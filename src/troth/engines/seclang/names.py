"""Every name of the language that the engine knows, and why some do nothing.

Source: ModSecurity Reference Manual (v3.x); CRS 3.3.4 and CRS 4 use a part of it.
"""

# Collections: names and values that came with the message. Their keys are the visitor's.
COLLECTIONS = frozenset(
    "ARGS ARGS_GET ARGS_POST ARGS_NAMES ARGS_GET_NAMES ARGS_POST_NAMES REQUEST_HEADERS"
    " REQUEST_HEADERS_NAMES REQUEST_COOKIES REQUEST_COOKIES_NAMES RESPONSE_HEADERS"
    " RESPONSE_HEADERS_NAMES FILES FILES_NAMES FILES_SIZES FILES_TMPNAMES FILES_TMP_CONTENT"
    " MULTIPART_FILENAME MULTIPART_NAME MULTIPART_PART_HEADERS XML".split()
)

# One value each.
SCALARS = frozenset(
    "ARGS_COMBINED_SIZE FILES_COMBINED_SIZE FULL_REQUEST FULL_REQUEST_LENGTH AUTH_TYPE"
    " PATH_INFO QUERY_STRING REMOTE_ADDR REMOTE_HOST REMOTE_PORT REMOTE_USER REQUEST_BASENAME"
    " REQUEST_BODY REQUEST_BODY_LENGTH REQUEST_FILENAME REQUEST_LINE REQUEST_METHOD"
    " REQUEST_PROTOCOL REQUEST_URI REQUEST_URI_RAW REQBODY_PROCESSOR REQBODY_ERROR"
    " REQBODY_ERROR_MSG REQBODY_PROCESSOR_ERROR REQBODY_PROCESSOR_ERROR_MSG RESPONSE_BODY"
    " RESPONSE_CONTENT_LENGTH RESPONSE_CONTENT_TYPE RESPONSE_PROTOCOL RESPONSE_STATUS"
    " SERVER_ADDR SERVER_NAME SERVER_PORT STATUS_LINE UNIQUE_ID URLENCODED_ERROR"
    " INBOUND_DATA_ERROR OUTBOUND_DATA_ERROR MULTIPART_CRLF_LF_LINES MULTIPART_STRICT_ERROR"
    " MULTIPART_UNMATCHED_BOUNDARY MULTIPART_BOUNDARY_QUOTED MULTIPART_BOUNDARY_WHITESPACE"
    " MULTIPART_DATA_AFTER MULTIPART_DATA_BEFORE MULTIPART_FILE_LIMIT_EXCEEDED"
    " MULTIPART_HEADER_FOLDING MULTIPART_INVALID_HEADER_FOLDING MULTIPART_INVALID_PART"
    " MULTIPART_INVALID_QUOTING MULTIPART_LF_LINE MULTIPART_MISSING_SEMICOLON"
    " MULTIPART_SEMICOLON_MISSING MSC_PCRE_ERROR MSC_PCRE_LIMITS_EXCEEDED WEBAPPID SESSIONID"
    " USERID TIME TIME_DAY TIME_EPOCH TIME_HOUR TIME_MIN TIME_MON TIME_SEC TIME_WDAY TIME_YEAR"
    " DURATION USERAGENT_IP".split()
)

# What rules write. IP and its kin live as long as the transaction: the guard's counters keep more.
STORES = frozenset("TX IP GLOBAL SESSION USER RESOURCE".split())
CHANGING = STORES | frozenset(
    "MATCHED_VAR MATCHED_VAR_NAME MATCHED_VARS MATCHED_VARS_NAMES RULE ENV GEO HIGHEST_SEVERITY"
    " REQBODY_PROCESSOR".split()
)
VARIABLES = COLLECTIONS | SCALARS | CHANGING
WITH_KEYS = COLLECTIONS | STORES | frozenset("RULE ENV GEO MATCHED_VARS MATCHED_VARS_NAMES".split())

DISRUPTIVE = frozenset("allow block deny drop pass redirect".split())
# Read by the parser into the rule itself.
META = frozenset(
    "id phase msg logdata severity tag rev ver maturity accuracy status log nolog auditlog"
    " noauditlog chain skip skipafter capture multimatch t".split()
)
EFFECTS = frozenset("setvar ctl initcol setuid setsid setrsc setenv".split())
# Known, and without effect here: what they do is another part's business.
SILENT = frozenset(
    "expirevar deprecatevar sanitisearg sanitisematched sanitisematchedbytes"
    " sanitiserequestheader sanitiseresponseheader sanitizearg sanitizematched"
    " sanitizematchedbytes sanitizerequestheader sanitizeresponseheader pause xmlns append"
    " prepend noop".split()
)

CTLS = frozenset(
    "ruleremovebyid ruleremovebytag ruleremovebymsg ruleremovetargetbyid ruleremovetargetbytag"
    " ruleremovetargetbymsg ruleengine requestbodyaccess requestbodyprocessor"
    " forcerequestbodyvariable responsebodyaccess".split()
)
SILENT_CTLS = frozenset(
    "auditengine auditlogparts debugloglevel requestbodylimit responsebodylimit hashengine"
    " hashenforcement parsexmlintoargs".split()
)

SEVERITIES = {
    "emergency": 0,
    "alert": 1,
    "critical": 2,
    "error": 3,
    "warning": 4,
    "notice": 5,
    "info": 6,
    "debug": 7,
}

PHASES = {"request": 2, "response": 4, "logging": 5}

# Operators that need the network or a program: they parse, and never match.
UNREACHABLE = frozenset(
    "geolookup rbl gsblookup inspectfile fuzzyhash verifysignature validatehash".split()
)

_ENGINE = "the guard's own settings decide it"
_LOG = "events and their spool are the guard's own"
IGNORED = {
    "seccomponentsignature": "says who wrote the rules",
    "seccollectiontimeout": "collections live as long as a request",
    "secpersistent": "collections live as long as a request",
    "include": "every rule file is handed over by name",
    "includeoptional": "every rule file is handed over by name",
    "secargumentslimit": _ENGINE,
    "secargumentseparator": _ENGINE,
    "secauditengine": _LOG,
    "secauditlog": _LOG,
    "secauditlog2": _LOG,
    "secauditlogdirmode": _LOG,
    "secauditlogfilemode": _LOG,
    "secauditlogformat": _LOG,
    "secauditlogparts": _LOG,
    "secauditlogprefix": _LOG,
    "secauditlogrelevantstatus": _LOG,
    "secauditlogstoragedir": _LOG,
    "secauditlogtype": _LOG,
    "secdebuglog": _LOG,
    "secdebugloglevel": _LOG,
    "secguardianlog": _LOG,
    "secchrootdir": _ENGINE,
    "seccookieformat": "cookies are read as RFC 6265 writes them",
    "seccookiev0separator": "cookies are read as RFC 6265 writes them",
    "secconnengine": _ENGINE,
    "secdatadir": "nothing is kept on disk",
    "secdisablebackendcompression": _ENGINE,
    "secgeolookupdb": "no place is looked up",
    "secgsblookupdb": "no address is looked up",
    "sechashengine": "links are not rewritten",
    "sechttpblkey": "no address is looked up",
    "secpcrematchlimit": "patterns run in linear time",
    "secpcrematchlimitrecursion": "patterns run in linear time",
    "secrequestbodyinmemorylimit": _ENGINE,
    "secrequestbodyjsondepthlimit": _ENGINE,
    "secrequestbodylimit": _ENGINE,
    "secrequestbodylimitaction": _ENGINE,
    "secrequestbodynofileslimit": _ENGINE,
    "secresponsebodylimit": _ENGINE,
    "secresponsebodylimitaction": _ENGINE,
    "secrulesinheritance": "there is one rule set",
    "secruleinheritance": "there is one rule set",
    "secruleperftime": _LOG,
    "secsensorid": _LOG,
    "secserversignature": "headers are the edge's own",
    "secstatusengine": "nothing is sent anywhere",
    "secstreaminbodyinspection": _ENGINE,
    "secstreamoutbodyinspection": _ENGINE,
    "sectmpdir": "nothing is kept on disk",
    "sectmpsaveuploadedfiles": "nothing is kept on disk",
    "secunicodemapfile": "a code point becomes its low byte, as in ModSecurity without a map",
    "secunicodecodepage": "a code point becomes its low byte, as in ModSecurity without a map",
    "secuploaddir": "nothing is kept on disk",
    "secuploadfilelimit": _ENGINE,
    "secuploadfilemode": "nothing is kept on disk",
    "secuploadkeepfiles": "nothing is kept on disk",
    "secwebappid": "one application stands behind one rule set",
    "secxmlexternalentity": "entities are never fetched",
    "secinterceptonerror": _ENGINE,
}
