"""HTML's words by what libinjection makes of them, as it answers (docs/why/0051).

Asked were the elements, attributes and events of the HTML, SVG and UI Events standards and of the
browsers' own documentation, and every word of the texts on a Debian system.
"""

TAGS = frozenset(
    b" applet base comment embed frame frameset handler iframe import isindex link listener meta"
    b" noscript object script style vmlframe xml xss".split()
)
"""Elements that are an attack by standing there."""

TAG_STARTS = (b"svg", b"xsl")
ATTRIBUTE_STARTS = (b"xmlns", b"xlink")
ATTRIBUTES = frozenset(b"dataformatas datasrc filter style".split())
"""Attributes that are one with any value."""

NAMING = b"attributename"
"""An attribute whose value names another."""

ADDRESSES = frozenset(
    b"action background by dynsrc folder formaction from handler href lowsrc poster src to"
    b" values".split()
)
SCHEMES = (b"DATA", b"JAVA", b"VBSCRIPT", b"VIEW-SOURCE")
"""What an address must not begin with."""

EVENTS = frozenset(
    b" abort activate active addsourcebuffer addstream addtrack afterprint afterscriptexecute"
    b" animationcancel animationend animationiteration animationstart audioend audioprocess"
    b" audiostart auxclick beforeactivate beforecopy beforecut beforeinput beforematch beforepaste"
    b" beforeprint beforescriptexecute beforetoggle beforeunload beginevent blocked blur boundary"
    b" cached cancel canplay change chargingchange chargingtimechange checking click close command"
    b" complete compositionend compositionstart compositionupdate connect"
    b" contentvisibilityautostatechange contextlost contextmenu contextrestored controllerchange"
    b" copy cuechange cut dataavailable datachannel dblclick devicechange devicelight devicemotion"
    b" deviceorientation dischargingtimechange disconnect domactivate domcharacterdatamodified"
    b" domcontentloaded domnodeinserted domnoderemoved domsubtreemodified downloading drag drop"
    b" durationchange emptied end enter error exit fetch finish focus formchange formdata"
    b" fullscreenchange fullscreenerror gamepadaxismove gamepadbuttondown gamepadbuttonup"
    b" gamepadconnected gamepaddisconnected gesturechange gestureend gesturestart gotpointercapture"
    b" hashchange icecandidate iceconnectionstatechange icegatheringstatechange input install"
    b" invalid keydown keypress keyup languagechange levelchange load lostpointercapture mark"
    b" merchantvalidation message mousedown mouseenter mouseleave mousemove mouseout mouseover"
    b" mouseup mousewheel mozfullscreenchange mozfullscreenerror mozpointerlockchange"
    b" mozpointerlockerror mute negotiationneeded nomatch notificationclick notificationclose"
    b" noupdate obsolete offline online open orientationchange overflowchanged pagehide pagereveal"
    b" pageshow pageswap paste pause payerdetailchange paymentmethodchange play pointercancel"
    b" pointerdown pointerenter pointerleave pointerlockchange pointerlockerror pointermove"
    b" pointerout pointerover pointerrawupdate pointerup popstate progress propertychange push"
    b" ratechange readystatechange rejectionhandled release remove repeat reset resize result"
    b" resume scroll search securitypolicyviolation seeked seeking select shippingaddresschange"
    b" shippingoptionchange show signalingstatechange slotchange soundend soundstart speechend"
    b" speechstart squeeze stalled start statechange stop storage submit success suspend svgload"
    b" svgscroll timeout timeupdate toggle touchcancel touchend touchmove touchstart track"
    b" transitioncancel transitionend transitionrun transitionstart uncapturederror"
    b" unhandledrejection unload unmute update upgradeneeded userproximity versionchange"
    b" visibilitychange volumechange vrdisplayactivate vrdisplayconnect vrdisplaydeactivate"
    b" vrdisplaydisconnect vrdisplaypresentchange waiting webkitanimationend"
    b" webkitanimationiteration webkitanimationstart webkitcurrentplaybacktargetiswirelesschanged"
    b" webkitfullscreenchange webkitfullscreenerror webkitkeyadded webkitkeyerror webkitkeymessage"
    b" webkitmouseforcechanged webkitmouseforcedown webkitmouseforceup webkitmouseforcewillbegin"
    b" webkitneedkey webkitplaybacktargetavailabilitychanged webkitpresentationmodechanged"
    b" webkitsourceclose webkitsourceended webkitsourceopen webkittransitionend wheel write"
    b" zoom".split()
)
"""Behind `on`: what the name of a handler begins with."""
