"""HTML's words by what they can do: elements that run or load, attributes that hold addresses.

Sources: HTML Living Standard (elements, event handlers), SVG 2, UI Events, CSS Animations and
Transitions, Pointer Events, and Microsoft's and Mozilla's own handlers of older days.
"""

# Elements that are an attack by standing there: they run, load or rewrite.
RUNNING = frozenset(b"script iframe frameset applet svg math".split())
# ... and those that are one with an attribute; people write `<object>` for "put an object here".
LOADING = frozenset(
    b"object embed frame base link meta portal bgsound layer ilayer import handler isindex"
    b" foreignobject animate set animatetransform animatemotion xml fencedframe".split()
)
# Their attributes that do it, where the element alone is harmless markup.
LOADED = {
    b"object": frozenset(b"data classid codebase type".split()),
    b"embed": frozenset(b"src code type".split()),
    b"frame": frozenset(b"src".split()),
    b"base": frozenset(b"href".split()),
    b"link": frozenset(b"href".split()),
    b"meta": frozenset(b"http-equiv".split()),
    b"portal": frozenset(b"src".split()),
    b"fencedframe": frozenset(b"src config".split()),
    b"bgsound": frozenset(b"src".split()),
    b"layer": frozenset(b"src".split()),
    b"ilayer": frozenset(b"src".split()),
    b"import": frozenset(b"namespace implementation src".split()),
    b"handler": frozenset(b"ev:event type".split()),
    b"isindex": frozenset(b"action formaction".split()),
    b"xml": frozenset(b"src id".split()),
    b"animate": frozenset(b"attributename".split()),
    b"set": frozenset(b"attributename".split()),
    b"vmlframe": frozenset(b"src".split()),
}
# An event handler's name behind `on`: what it begins with. A word like `online` begins with none.
EVENTS = (
    b"abort activate after animation append aux auto before begin blur bounce cancel canplay cell"
    b" change click close command complete connect content contextmenu context control copy cue"
    b" cut data dblclick deactivate device dom drag drop duration emptied end enter error filter"
    b" finish focus form fullscreen gesture got hash help input install invalid key language layout"
    b" leave load lose losecapture lost mark media message mouse move moz ms offline open"
    b" orientation outofsync page paste pause play pointer popstate popup progress property rate"
    b" ready reject release redo repeat reset resize resume reverse row rtc scroll security seek"
    b" select show size slot snap sort stalled start state stop storage submit suspend sync text"
    b" time toggle touch track transition undo unhandled unload url user validation visibility"
    b" volume wait warning webkit wheel zoom"
).split()
# Attributes whose value is an address (or several).
ADDRESSES = frozenset(
    b"href src action formaction data xlink:href poster background dynsrc lowsrc code codebase"
    b" from to by values manifest ping srcset cite longdesc usemap profile classid content url"
    b" folder icon archive implementation".split()
)
# Functions and objects that a script must reach to do harm.
SINKS = (
    b"alert confirm prompt eval setTimeout setInterval setImmediate Function execScript atob"
    b" importScripts fetch postMessage sendBeacon XMLHttpRequest requestAnimationFrame"
    b" Worker WebSocket Image"
).split()
OBJECTS = (
    b"document window self top parent globalThis frames this location navigator history"
    b" localStorage sessionStorage String Reflect Object Array Promise constructor"
).split()
