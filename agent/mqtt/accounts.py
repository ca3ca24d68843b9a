"""The accounts that a link may log in with, and when it changes from one to another.

A renewed account is tried first. Where the broker refuses it, or its CA does not fit the
broker's certificate, the next one is tried, and so on in turn: a PC is shut out only if none of
its accounts works. An account that works stays in use until the program ends.
"""

from __future__ import annotations

import math
import ssl
import time
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path

import msgspec

from agent.common import log, tls
from agent.common.broker_settings import AgentBroker, agent_broker
from agent.common.settings import Broker, SettingsError
from agent.mqtt.connection import ClosedError, Connection, RefusedError, Will
from agent.mqtt.link_types import State
from agent.wire.renewal import Renewal, ca_digest

#: A renewal that was refused is tried again after this, then after twice as long, and so on, s:
#: the broker may know its account a little later than we do, or never.
RETRY_S, _LONGEST_S = 60.0, 3600.0
#: A refusal so long ago says nothing of the next one, s.
_FORGOTTEN_S = 2 * _LONGEST_S


class Account(msgspec.Struct, frozen=True, dict=True):
    """One way to log in."""

    broker: AgentBroker
    ca_pem: str = ""  # the renewed CA; empty: the file of the settings
    line_key: str = ""  # the renewed key for line tests; empty: that of the settings

    def context(self) -> ssl.SSLContext | None:
        """For its TLS connections.

        Raises:
            OSError, ssl.SSLError: a TLS file cannot be read.
        """
        return tls.context(self.broker, check_dates=False, ca_pem=self.ca_pem)

    @cached_property
    def ca_digest(self) -> str:
        """The name of its CA file; empty where there is none."""
        if self.ca_pem or not self.broker.ca:
            return ca_digest(self.ca_pem)
        try:
            return ca_digest(Path(self.broker.ca).read_text("ascii", errors="replace"))
        except OSError:
            return ""

    def __repr__(self) -> str:
        """Without secrets."""
        return f"Account({self.broker.username!r}, generation {self.broker.generation})"


def single(broker: Broker) -> Accounts:
    """The account of the settings alone."""
    return Accounts((Account(agent_broker(broker)),))


class Accounts:
    """Used by the link's thread only, but for `current`."""

    def __init__(
        self,
        candidates: Sequence[Account],
        renew: Callable[[Renewal, Account], Account | None] = lambda renewal, current: None,
    ) -> None:
        """`candidates`: the preferred one first. `renew`: a renewal checked, kept and made an
        account, None where it is refused."""
        self._candidates = list(candidates)
        self._renew = renew
        self._refused: dict[Account, tuple[float, int]] = {}  # when last, of monotonic; how often
        self._context: ssl.SSLContext | None = None
        self._has_context = False
        self._way = 0  # of `AgentBroker.ways`; counts on past their number

    @property
    def current(self) -> Account:
        """The account of the present or next connection."""
        return self._candidates[0]

    @property
    def several(self) -> bool:
        """Whether there is another one to try."""
        return len(self._candidates) > 1

    def prepare(self) -> None:
        """Choose the first account whose TLS files can be read.

        Raises:
            OSError, ssl.SSLError: those of no account can.
        """
        for left in reversed(range(len(self._candidates))):
            try:
                self.context()
            except OSError as error:  # ssl.SSLError is one
                if not left:
                    raise
                log.warning("account_unusable", account=self.current.broker.username, reason=error)
                self.refused()
            else:
                return

    def context(self) -> ssl.SSLContext | None:
        """The TLS context of the current account, made once; raises as `Account.context`."""
        if not self._has_context:
            self._context = self.current.context()
            self._has_context = True
        return self._context

    @property
    def said(self) -> tuple[int, str]:
        """What a hello says of it: its generation, and the name of its CA file."""
        return self.current.broker.generation, self.current.ca_digest

    def connect(self, client_id: str, will: Will, *, mqtt5: bool) -> Connection:
        """A connection with the current account, opened; raises as `Connection.open`.

        Raises:
            RefusedError: a file of the account cannot be read.
        """
        ways = self.current.broker.ways
        broker = ways[self._way % len(ways)]
        try:
            connection = Connection(broker, self.context(), client_id, will, mqtt5=mqtt5)
        except SettingsError as error:
            raise RefusedError(str(error)) from error
        except OSError as error:  # Python does not name the file
            files = ", ".join(filter(None, (broker.ca, broker.certificate, broker.key)))
            raise RefusedError(f"a TLS file cannot be read ({files}): {error}") from error
        connection.open()
        return connection

    def failed(self, error: Exception, state: State, may_fall_back: bool) -> None:
        """A connection ended in this state, or could not be made.

        `may_fall_back`: it was in MQTT 5, and 3.1.1 may be tried next. Before the broker's
        answer to CONNECT the way may be at fault, and the next one is tried.
        """
        if isinstance(error, RefusedError):
            self.refused()
        elif state is State.IDLE or (state is State.CONNECTING and not may_fall_back):
            self._way += 1
            every = self._way % len(self.current.broker.ways) == 0
            # Some brokers close the connection of a wrong account without an answer.
            if every and isinstance(error, ClosedError | ssl.SSLCertVerificationError):
                self.refused()

    def refused(self) -> None:
        """The current account does not work: take the next one, if there is one."""
        account, *others = self._candidates
        self._candidates = [*others, account]  # whole at any moment: another thread may look
        self._note(account)
        self._has_context = False
        if self.several:
            names = account.broker.username, self.current.broker.username
            log.warning("account_refused", account=names[0], following=names[1])

    def take(self, renewal: Renewal) -> float:
        """A renewal arrived: seconds until it is to be used; 0: connect again, with its account.

        More than 0: it was refused lately. Infinite: it is no news, or of no use.
        """
        account = self._renew(renewal, self.current)
        if account is None or account == self.current:
            return math.inf
        if (wait := self._wait(account)) > 0:
            return wait
        others = [one for one in self._candidates if one != account]
        self._candidates = [account, *others]
        self._has_context = False
        return 0.0

    def _note(self, account: Account) -> None:
        """It was refused now. Where it is tried for want of another, that counts once."""
        since, times = self._refused.get(account, (-math.inf, 0))
        if time.monotonic() - since > _FORGOTTEN_S:
            times = 0
        again = not times or self._wait(account) <= 0
        self._refused[account] = time.monotonic(), times + again

    def _wait(self, account: Account) -> float:
        """Seconds until an account that was refused may be tried again; 0 or less: now."""
        if account not in self._refused:
            return 0.0
        since, times = self._refused[account]
        return since + min(_LONGEST_S, RETRY_S * 2.0 ** min(times - 1, 16)) - time.monotonic()
