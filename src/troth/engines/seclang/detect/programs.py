"""Names of programs, and what a call of each looks like. Facts of POSIX, GNU, BSD, Windows.

A name alone proves nothing: half of these are words of some language. `shell` asks what stands
around it; this table says how much a name must be supported by its arguments.
"""

import re

# Nobody writes these as a word: the name is half the proof.
PROGRAMS = frozenset(
    b"""
    7z apt-get aptitude arp awk base32 base64 bash busybox bzip2 bzcat chattr chgrp chmod chown
    chroot chpasswd cmd cmd.exe cpio crontab csh csc curl dash dd df dmesg docker dpkg du egrep
    ethtool expr fdisk fgrep fgrep fish ftp gawk gcc getent git gpasswd grep groupadd groupmod
    gunzip gzip ifconfig insmod iptables ipconfig journalctl kubectl ksh ldd logname ls lsattr
    lsb_release lsof lua lwp-download lwp-request lynx mawk mkdir mkfifo mknod modprobe mysql
    mysqldump nawk nc nc.openbsd nc.traditional ncat net.exe netcat netsh netstat nl nmap node
    nohup nslookup openssl passwd perl pgrep php php5 php7 ping ping6 pip pip3 pkexec pkill
    powershell powershell.exe printenv printf ps psql pwd pwsh pwsh.exe python python2 python3
    rcp readlink regsvr32 renice rm rmdir rsh rsync ruby rundll32 schtasks scp sed setfacl
    setsid sftp sh sha1sum showmount socat ss ssh strace stty su sudo sysctl systemctl
    systeminfo tac tasklist taskkill tclsh tcpdump tee telnet tftp tr traceroute tracert uname
    uniq unlink unrar unxz unzip useradd userdel usermod vim vipw vmstat vssadmin wc wget wgetrc
    whereis whoami wmic wscript cscript xargs xxd xz yum zcat zsh certutil bitsadmin mshta
    msiexec reg.exe sc.exe nltest dsquery quser icacls cacls takeown findstr xcopy robocopy
    attrib rd hostid ip6tables ifdown ifup iwconfig nohup od hexdump hd md5sum realpath
    sha256sum touch umask unshare uuencode uudecode nsenter ldapsearch snmpwalk smbclient
    rpcinfo dig chsh msfvenom wall pwsh get-process invoke-expression iex iwr irm
    """.split()
)

# Words of a language, too: only what follows can prove a call.
WORDS = frozenset(
    b"""
    alias arch at bg cal cat cd chcp chfn cls comm command compress cp curl cut date del dir
    diff echo ed emacs env erase eval exec export fg file find finger free fold for format
    getopts groups halt head history host hostname id if install ip jobs join kill killall last
    lastlog less ln locate login mail make man md mesg more mount move mv nano net nice node
    passwd paste path pause print ps pushd r reboot red reg ren reset rev sc screen script
    service set shutdown sleep sort source split stat start strings swapoff sync tail tar test
    time timeout top trap type umount unset until uptime users vdir ver vi w watch which while
    who write xterm yes zip assoc ftype pathping query route copy cron at
    """.split()
)

# What tells an attacker something without any argument.
BARE = frozenset(
    b"""
    id whoami ls pwd ps env uname ifconfig ipconfig netstat dir hostname set printenv systeminfo
    tasklist ver who w users uptime df lsof dmesg arp reboot shutdown halt sh bash ksh zsh
    phpinfo logname hostid quser groups lastlog lsb_release vmstat nohup powershell cmd cmd.exe
    getent
    """.split()
)
# Those of them that a person may write as a word or a column's name.
BARE_WORDS = frozenset(
    b"id env set dir hostname who w users uptime halt groups shutdown ver".split()
)

# One number is all they want.
TIMED = frozenset(b"sleep timeout ping kill usleep".split())

# Interpreters: a pipe into one of them runs what comes.
INTERPRETERS = frozenset(
    b"sh bash dash ksh zsh csh fish ash python python2 python3 perl ruby php node lua".split()
)

# Where programs live: a pattern such as `/???/c?t` is compared with these.
PLACES = tuple(
    place + name
    for place in (b"/bin/", b"/usr/bin/", b"/sbin/", b"/usr/sbin/", b"/usr/local/bin/")
    for name in (
        b"cat bash sh nc id ls wget curl python python3 perl php ping sleep whoami uname head tail"
        b" tac more less nl od xxd base64 rm cp mv chmod netcat ncat socat ps echo dash ifconfig"
        b" nslookup find grep awk sed tee env sort cut dig rev strings telnet ssh zsh ksh"
    ).split()
)

# They work on what comes through a pipe.
FILTERS = frozenset(
    b"awk base64 cat column cut egrep fgrep fold grep head hexdump less more nl od paste rev sed"
    b" sha256sum sort strings tac tail tee tr uniq wc xxd".split()
)

# They call what is named behind them.
WRAPPERS = frozenset(
    b"which whereis type command sudo exec xargs nohup time env watch busybox man nice doas".split()
)

# Windows reads names in any case.
WINDOWS = frozenset(
    b"dir type net ipconfig netstat systeminfo whoami cmd powershell ping nslookup tracert copy del"
    b" echo set ver tasklist taskkill sc reg wmic certutil bitsadmin findstr xcopy attrib"
    b" icacls cacls rundll32 regsvr32 mshta cscript wscript schtasks route arp"
    b" hostname start for if timeout"
    b" get-process invoke-expression iex iwr irm vssadmin nltest rd md ren move query quser".split()
)

KNOWN = PROGRAMS | WORDS

# Names that columns and tags have, so that `name;id` is a list and `8.8.8.8;id` is not.
FIELDS = frozenset(
    b"name key value title type label email mail code user uid state status price text desc"
    b" description sku ref count size order sort parent group role path file lang locale".split()
)

# These show what is in a file.
FILE_READERS = frozenset(b"cat type more less head tail tac nl sort source rev cut strings".split())

# Two words make the call.
PAIRS = {
    b"net": frozenset(
        b"view user users use localgroup group share start stop session config accounts"
        b" time".split()
    ),
    b"reg": frozenset(b"query add delete export save import copy load".split()),
    b"sc": frozenset(b"query queryex config create delete start stop qc \\\\".split()),
    b"route": frozenset(b"print -n add del".split()),
    b"ps": frozenset(b"aux auxw auxww ax axu axf axuf a x -a -e -f -ef -aux -eaf -elf -u".split()),
    b"git": frozenset(b"clone config --version -c log push remote".split()),
    b"docker": frozenset(b"ps run exec images inspect info -h".split()),
    b"service": frozenset(),
    b"script": frozenset(b"-c -q -qc -qec".split()),
    b"for": frozenset(),
    b"at": frozenset(),
    b"if": frozenset(b"[ [[".split()),
    b"while": frozenset(b"[ [[ :; true;".split()),
    b"test": frozenset(b"-f -e -d -n -z -r -w -x".split()),
}

# A command as a whole value: only such as look around, and only on a whole machine. People send
# each other command lines, but seldom one of these and nothing else.
RECON = re.compile(
    rb"(?i:ls(?:\s+-[a-z1]+)?\s+/(?:etc|var|tmp|home|usr|opt|proc|root|bin|dev)?(?:/[\w.*-]*){0,4}"
    rb"|(?:net)\s+(?:view|user|localgroup|share|accounts)(?:\s+[\w.*/\\$-]+){0,4}"
    rb"|(?:dir|type|del|rd|rmdir|copy)(?:\s+/\w)*\s+(?:[a-z]:\\[^\n|;&]*|%\w+%\\?[^\n|;&]*)"
    rb"|(?:cat|more|less|head|tail|nl|tac|strings|od|xxd)\s+(?:-\w+\s+){0,2}"
    rb"(?:/etc/(?:passwd|shadow|group|hosts|issue|sudoers)|/proc/\S+|/var/log/\S+|~/\.ssh/\S+)(?:\s*[|>;].*)?"
    rb"|netstat\s+-[a-z]{1,6}|uname\s+-[a-z]{1,6}|ifconfig\s+-a|ipconfig\s+/all|systeminfo"
    rb"|ping\s+-[a-z]\s+\d+\s+(?:127\.0\.0\.1|localhost|\d+\.\d+\.\d+\.\d+)"
    rb"|(?:/usr)?/s?bin/(?:id|whoami|uname|ls|ps|env|netstat|ifconfig|cat|sleep|ping|nc|curl|wget)"
    rb"(?:\s+[-/\w.:]+){1,4}|/usr/bin/(?:id|whoami|env)"
    rb"|reg(?:\.exe)?\s+query\s+hk\w+\\.*|tasklist\s+/\w+|whoami\s+/\w+"
    rb"|cmd(?:\.exe)?\s+/[ck]\s.*|powershell(?:\.exe)?\s+-\w+.*"
    rb"|(?:c|nc|ncat|netcat)\s+-[lnvp]{1,6}\s+\d+(?:\s.*)?)"
)
