"""How this area's declarations are spelled."""

from troth.promises.declaring import Checks

AREA = "guard"
check = Checks(AREA).check
