"""libpam as it is: structures, prototypes, constants. What one may do with it is in pam_transaction."""

import ctypes

PAM_TTY, PAM_RHOST, PAM_RUSER, PAM_FAIL_DELAY = 3, 4, 8, 10
ESTABLISH_CRED, DELETE_CRED = 2, 4
PROMPT_ECHO_OFF, PROMPT_ECHO_ON, ERROR_MSG, TEXT_INFO = 1, 2, 3, 4
SUCCESS, CONV_ERR = 0, 19
NEW_AUTHTOK_REQD, ACCT_EXPIRED, AUTHTOK_EXPIRED = 12, 13, 27


class PamMessage(ctypes.Structure):
    """struct pam_message."""

    _fields_ = (("style", ctypes.c_int), ("text", ctypes.c_char_p))


class PamResponse(ctypes.Structure):
    """struct pam_response; the text is malloc'ed and freed by the module."""

    _fields_ = (("text", ctypes.c_void_p), ("unused", ctypes.c_int))


MessageList = ctypes.POINTER(ctypes.POINTER(PamMessage))
CONVERSE = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int, MessageList, ctypes.POINTER(ctypes.c_void_p), ctypes.c_void_p)
FAIL_DELAY = ctypes.CFUNCTYPE(None, ctypes.c_int, ctypes.c_uint, ctypes.c_void_p)


class PamConversation(ctypes.Structure):
    """struct pam_conv."""

    _fields_ = (("converse", CONVERSE), ("data", ctypes.c_void_p))


# Modules expect the symbols of libpam in the global scope of the process.
pam = ctypes.CDLL("libpam.so.0", ctypes.RTLD_GLOBAL)
libc = ctypes.CDLL(None)

_int, _address, _chars = ctypes.c_int, ctypes.c_void_p, ctypes.c_char_p
_handle_out, _conversation = ctypes.POINTER(_address), ctypes.POINTER(PamConversation)


def _declare(library: ctypes.CDLL, name: str, result: type | None, *arguments: type) -> None:
    function = getattr(library, name)
    function.restype, function.argtypes = result, arguments


_declare(pam, "pam_start", _int, _chars, _chars, _conversation, _handle_out)
_declare(pam, "pam_start_confdir", _int, _chars, _chars, _conversation, _chars, _handle_out)
_declare(pam, "pam_strerror", _chars, _address, _int)
_declare(pam, "pam_getenvlist", ctypes.POINTER(_address), _address)
_declare(pam, "pam_set_item", _int, _address, _int, _address)
for _name in ("authenticate", "acct_mgmt", "setcred", "open_session", "close_session", "chauthtok", "end"):
    _declare(pam, f"pam_{_name}", _int, _address, _int)
_declare(libc, "calloc", _address, ctypes.c_size_t, ctypes.c_size_t)
_declare(libc, "strdup", _address, _chars)
_declare(libc, "free", None, _address)
