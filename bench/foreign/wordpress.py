"""WordPress from Debian (wordpress, php-cli, php-mysql, mariadb-server) behind Troth."""

import os
import re
import shutil
from pathlib import Path

from ground import Ground, NotHereError, Tried, ground, listens, wait
from pictures import png
from plays import forged_post_is_refused, headers_are_there, http_leads_to_https, reports_are_learnt

from browser import Visitor, visitor

PACKAGES = "wordpress wordpress-theme-twentytwentyone php-cli php-mysql php-gd mariadb-server"
SOURCE = Path("/usr/share/wordpress")
PASSWORD = "correct-horse-battery-staple-42"
CONFIG = """<?php
define('DB_NAME', 'wordpress'); define('DB_USER', 'root'); define('DB_PASSWORD', '');
define('DB_HOST', 'localhost:{socket}'); define('DB_CHARSET', 'utf8mb4'); define('DB_COLLATE', '');
define('WP_HOME', '{url}'); define('WP_SITEURL', '{url}');
foreach (['AUTH','SECURE_AUTH','LOGGED_IN','NONCE'] as $n) {{ define($n.'_KEY', '{key}'.$n); define($n.'_SALT', '{key}S'.$n); }}
// What WordPress's own handbook says for any proxy that speaks TLS.
if (($_SERVER['HTTP_X_FORWARDED_PROTO'] ?? '') === 'https') {{ $_SERVER['HTTPS'] = 'on'; }}
define('WP_DEFAULT_THEME', 'twentytwentyone');
define('AUTOMATIC_UPDATER_DISABLED', true); define('WP_HTTP_BLOCK_EXTERNAL', true);
define('WP_CONTENT_DIR', '{root}/wp-content');
$table_prefix = 'wp_';
if (!defined('ABSPATH')) define('ABSPATH', '{root}/');
require_once(ABSPATH . 'wp-settings.php');
"""
ROUTER = """<?php
$path = parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH);
$file = __DIR__ . $path;
if (is_dir($file) && is_file(rtrim($file, '/') . '/index.php')) {
  if (substr($path, -1) !== '/') { header('Location: ' . $path . '/', true, 301); return true; }
  $_SERVER['SCRIPT_NAME'] = $_SERVER['PHP_SELF'] = rtrim($path, '/') . '/index.php';
  chdir(rtrim($file, '/')); require rtrim($file, '/') . '/index.php'; return true;
}
if (is_file($file)) return false;
chdir(__DIR__); $_SERVER['SCRIPT_NAME'] = $_SERVER['PHP_SELF'] = '/index.php';
require __DIR__ . '/index.php';
"""


def run() -> Tried:
    """Install, log in, write, upload, comment, customise; what worked."""
    for program in ("php", "mariadbd", "mariadb-install-db"):
        if not shutil.which(program) or not SOURCE.is_dir():
            raise NotHereError(f"apt install {PACKAGES}")
    with ground("wordpress.localhost") as place:
        tried = Tried("WordPress", version=_version())
        _start(place)
        place.init("--name", "A blog")
        place.troth()
        with visitor(place.url, place.folder / "profile") as one:
            one.elsewhere = ("https://secure.gravatar.com",)
            _play(place, one, tried)
            one.judge(tried)
        forged_post_is_refused(place, tried, "/wp-comments-post.php")
        headers_are_there(
            place,
            tried,
            "/",
            "/wp-login.php",
            "/no-such-page",
            "/wp-includes/js/jquery/jquery.min.js",
        )
        http_leads_to_https(place, tried, "/a?b=c")
        reports_are_learnt(place, tried)
    return tried


def _version() -> str:
    text = (SOURCE / "wp-includes" / "version.php").read_text()
    found = re.search(r"wp_version = '([^']+)'", text)
    return f"{found.group(1) if found else '?'} (Debian)"


def _start(place: Ground) -> None:
    root, data, socket = (place.folder / name for name in ("wp", "mysql", "mysql.sock"))
    shutil.copytree(SOURCE, root)
    for extra in Path("/var/lib/wordpress/wp-content").glob("*"):
        if extra.is_dir():
            shutil.copytree(extra, root / "wp-content" / extra.name, dirs_exist_ok=True)
    (root / "wp-content" / "uploads").mkdir(exist_ok=True)
    text = CONFIG.format(socket=socket, url=place.url, root=root, key=os.urandom(16).hex())
    (root / "wp-config.php").write_text(text)
    (root / "router.php").write_text(ROUTER)
    me = f"--user={os.environ.get('USER', 'root')}" if os.geteuid() == 0 else "--user="
    place.run(
        *("mariadb-install-db", "--no-defaults", f"--datadir={data}", me, "--skip-test-db"),
        "--auth-root-authentication-method=normal",
    )
    place.start(
        "mariadb",
        *("mariadbd", "--no-defaults", f"--datadir={data}", f"--socket={socket}", me),
        *("--skip-networking", f"--pid-file={place.folder}/mysql.pid"),
    )
    wait(socket.exists, 60, "mariadb")
    place.run("mariadb", "--no-defaults", f"--socket={socket}", "-e", "CREATE DATABASE wordpress")
    place.start(
        "php",
        *("php", "-d", "upload_max_filesize=64M", "-d", "post_max_size=64M"),
        *("-S", f"127.0.0.1:{place.upstream_port}", "-t", root, root / "router.php"),
        env={**os.environ, "PHP_CLI_SERVER_WORKERS": "4"},
    )
    wait(lambda: listens(place.upstream_port), 30, "php")


def _play(place: Ground, one: Visitor, tried: Tried) -> None:
    page = one.page
    one.go("/")
    page.wait_for_selector("#language, #user_login")
    if page.query_selector("#language"):
        page.click("#language-continue")
    page.fill("#weblog_title", "A blog")
    page.fill("#user_login", "ada")
    page.fill("#pass1", PASSWORD)
    page.fill("#admin_email", "ada@example.org")
    page.click("#submit")
    page.wait_for_selector("text=Success!")
    tried.check("installs through its own pages", True)

    one.go("/wp-admin/")
    tried.check("redirects to its log-in", "/wp-login.php" in page.url, page.url)
    page.fill("#user_login", "ada")
    page.fill("#user_pass", PASSWORD)
    page.click("#wp-submit")
    page.wait_for_selector("#wpadminbar")
    tried.check("logs in", page.url.startswith(f"{place.url}/wp-admin/"), page.url)
    names = page.evaluate("document.cookie")
    tried.check("cookies its scripts need are readable", "wp-settings-time-" in names, names)
    tried.check("its session is not", "wordpress_logged_in" not in names, names)

    one.go("/wp-admin/profile.php")
    page.fill("#first_name", "Ada")
    page.click("#submit")
    page.wait_for_selector("#message.updated, .notice-success")
    tried.check("a form posts", page.input_value("#first_name") == "Ada")

    one.go("/wp-admin/media-new.php?browser-uploader=1")
    picture = place.folder / "picture.png"
    picture.write_bytes(png(2000))
    page.set_input_files("#async-upload", str(picture))
    page.click("#html-upload")
    page.wait_for_load_state("load")
    one.go("/wp-admin/upload.php?mode=list")
    tried.check("a picture uploads", "picture" in page.content())

    big = place.folder / "big.png"
    big.write_bytes(png(2000) + b"\0" * 9_000_000)
    one.go("/wp-admin/media-new.php?browser-uploader=1")
    page.set_input_files("#async-upload", str(big))
    page.click("#html-upload")
    page.wait_for_load_state("load")
    one.go("/wp-admin/upload.php?mode=list")
    tried.check("9 MB upload", "big" in page.content())

    one.go("/wp-admin/post-new.php")
    page.wait_for_selector(".edit-post-layout, .editor-styles-wrapper", timeout=60_000)
    for _ in range(2):
        close = page.query_selector("[aria-label='Close dialog'], [aria-label='Close']")
        if close:
            close.click()
    target = (
        page.frame_locator("iframe[name='editor-canvas']")
        if page.query_selector("iframe[name='editor-canvas']")
        else page
    )
    target.locator(".editor-post-title__input").first.fill("Hello through the edge")
    page.click(".editor-post-publish-panel__toggle, .editor-post-publish-button__button")
    page.wait_for_selector(".editor-post-publish-panel .editor-post-publish-button")
    page.click(".editor-post-publish-panel .editor-post-publish-button")
    page.wait_for_selector(".post-publish-panel__postpublish, .components-snackbar", timeout=60_000)
    tried.check("the block editor publishes (REST API)", True)

    one.go("/wp-admin/customize.php")
    frame = page.wait_for_selector("iframe[title='Site Preview']", timeout=60_000)
    inner = frame.content_frame()
    inner.wait_for_load_state("load")
    tried.check("the customizer's own frame loads", "A blog" in inner.content())

    one.go("/")
    tried.check("the public page shows the post", "Hello through the edge" in page.content())
    page.click("text=Hello world!")
    page.wait_for_selector("#comment")
    page.fill("#comment", "A comment through the edge")
    page.click("#submit, .form-submit input")
    page.wait_for_load_state("load")
    tried.check("a comment posts", "A comment through the edge" in page.content())

    one.go("/?rest_route=/")
    tried.check("the REST API answers", "namespaces" in page.content())
    one.go("/feed/")


if __name__ == "__main__":
    raise SystemExit(not run().is_fine)
