"""A sync between its runs: what it holds and what it did, as pandas frames."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Concatenate, ParamSpec, TypeVar

from typing_extensions import Unpack

from dagster_dailystory.api.settings import AccountOptions, AccountSettings
from dagster_dailystory.databases.urls import checked_url, require_file, require_folder
from dagster_dailystory.engine.presence.forgotten import ForgottenHash, export_forgotten
from dagster_dailystory.engine.run import OnProgress, open_run
from dagster_dailystory.engine.state.lease import open_session
from dagster_dailystory.engine.state.schema import StateLocation
from dagster_dailystory.engine.state.store import State, open_state
from dagster_dailystory.engine.upkeep.forgetting.forget import forget_rows
from dagster_dailystory.engine.upkeep.forgetting.receipt import ForgetReceipt
from dagster_dailystory.engine.upkeep.forgetting.requests import apply_forgotten
from dagster_dailystory.engine.upkeep.moving.copying import CopyReport, copy_state
from dagster_dailystory.engine.upkeep.moving.renaming import drop_sync, rename_sync
from dagster_dailystory.engine.upkeep.records.explain.explain import Question, explain
from dagster_dailystory.engine.upkeep.records.explain.explanation import Explanation
from dagster_dailystory.engine.upkeep.records.frames import (
    contact_map_frame,
    history_frame,
    plan_frame,
    rejections_frame,
    runs_frame,
)
from dagster_dailystory.engine.upkeep.records.inspection import ChangePreview, preview_changes, read_summary
from dagster_dailystory.engine.upkeep.records.masking import masked_frame
from dagster_dailystory.engine.upkeep.records.whose import Whose
from dagster_dailystory.engine.upkeep.undo.mapping import sync_to_undo
from dagster_dailystory.engine.upkeep.undo.report import Created, UndoReport, UndoSettings
from dagster_dailystory.engine.warehouse import Warehouse
from dagster_dailystory.engine.warehouse.frames import Frame, with_frame
from dagster_dailystory.errors import ConfigurationError
from dagster_dailystory.model.runs.options import chosen_keys
from dagster_dailystory.model.runs.plan import PlanSummary
from dagster_dailystory.model.settings import check_value, choice, named_settings
from dagster_dailystory.model.sync import ContactSync

if TYPE_CHECKING:
    import pandas

P = ParamSpec("P")
T = TypeVar("T")


class SyncRecords:
    """What a sync holds and what it did, made by `open_sync`. Each call opens the state anew; reading locks nothing.

    The frames hold personal data; `masked` makes them fit to be shown.
    """

    def __init__(self, sync: ContactSync, warehouse: Warehouse) -> None:
        self._sync = sync
        self._warehouse = warehouse

    def contact_map(self) -> pandas.DataFrame:
        """The contact map: the key columns, the dsid, the times (UTC)."""
        return self._read(contact_map_frame)

    def rejections(self) -> pandas.DataFrame:
        """The rejections: the key columns, reason, message, counts, the times (UTC)."""
        return self._read(rejections_frame)

    def plan(self, plan_id: str) -> pandas.DataFrame:
        """One of the latest plans: one row for each field that differs.

        Args:
            plan_id: From the metadata of `changes`, or from `plan_contact_sync`.

        Raises:
            SafetyError: The sync has no such plan.
        """
        return self._read(plan_frame, plan_id)

    def plan_summary(self, plan_id: str) -> PlanSummary:
        """The header of a plan: its status, guards and counts.

        Raises:
            SafetyError: The sync has no such plan.
        """
        return self._read(read_summary, plan_id)

    def preview(self, plan_id: str, rows: int = 15) -> list[ChangePreview]:
        """The first changes of a plan, without personal data.

        Args:
            plan_id: One of the latest plans.
            rows: At most this many of each operation.

        Raises:
            SafetyError: The sync has no such plan.
        """
        return self._read(preview_changes, plan_id, rows=rows)

    def masked(self, frame: pandas.DataFrame) -> pandas.DataFrame:
        """A frame of this sync without personal data: keys and values as logs may show them."""
        return self._read(masked_frame, frame)

    def runs(self) -> pandas.DataFrame:
        """The sends of the sync, the newest first: run, plan, slice, outcome, times (UTC), counts."""
        return self._read(runs_frame)

    @named_settings
    def history(
        self,
        key: object = None,
        since: datetime | None = None,
        field: str | None = None,
        *,
        email: str | None = None,
        dsid: str | None = None,
    ) -> pandas.DataFrame:
        """What was written to the contacts and what it replaced: one row for each field, the oldest first.

        Args:
            key: One key, or a list of keys; the parts of a composite one are joined by `|`. None: all keys.
            since: Only what DailyStory acknowledged from this `datetime` on; one without a zone is UTC.
            field: Only this DailyStory field or custom field.
            email: In place of the key, the email address that a contact has, or had at some time of the history.
            dsid: In place of the key, a contact.

        Raises:
            ConfigurationError: The field is not mapped, the key is not a value of its columns' types, or more than one
                of key, email and dsid is given.

        Example:
            ```python
            with open_sync(customers, warehouse_url=warehouse_url) as records:
                print(records.history("1001"))
            ```
        """
        if sum(each is not None for each in (key, email, dsid)) > 1:
            raise ConfigurationError("history takes one of key, email and dsid, or none")
        check_value("since", since, datetime | None, ("datetime(2026, 1, 31)",))
        check_value("email", email, str | None, ("ann@example.com",))
        keys = [] if key is None else chosen_keys(key if isinstance(key, (list, tuple)) else [key])
        return self._read(history_frame, Whose(keys, email, dsid), since, field)

    @named_settings
    def explain(
        self,
        key: object = None,
        *,
        email: str | None = None,
        dsid: str | None = None,
        show_values: bool = False,
        base_url: str | None = None,
        api_token: str | None = None,
        **account: Unpack[AccountOptions],
    ) -> Explanation:
        """Explain one key: what the source and the state have of it, what happened, and what the next run does.

        It reads only, also while a run holds the sync. With `base_url` and `api_token` DailyStory is asked as well.

        Args:
            key: The key; the parts of a composite one are joined by `|`.
            email: In place of the key, the email address of a contact or of a row of the source.
            dsid: In place of the key, a contact.
            show_values: Show all values; otherwise those that identify a person are masked.
            base_url: The data centre's URL, `https://us-1.dailystory.com/api/v1`.
            api_token: From Account Settings > API Tokens.
            **account: Other settings of the account; see `AccountOptions`.

        Returns:
            One explanation for each key; `str()` of it is meant for a terminal.

        Raises:
            ConfigurationError: Not exactly one of key, email and dsid is given.

        Example:
            ```python
            with open_sync(customers, warehouse_url=warehouse_url) as records:
                print(records.explain("1001"))
            ```
        """
        if sum(each is not None for each in (key, email, dsid)) != 1:
            raise ConfigurationError("explain takes one of key, email and dsid")
        if (base_url is None) != (api_token is None):
            raise ConfigurationError("DailyStory is asked with base_url and api_token; pass both, or neither")
        question = Question(None if key is None else str(key), email, dsid, show_values)
        live = None if base_url is None or api_token is None else AccountSettings(base_url, api_token, **account)
        return self._read(explain, self._warehouse.url, question, live)

    @named_settings
    def undo(
        self,
        run_id: str,
        *,
        base_url: str,
        api_token: str,
        created: Created | str = Created.KEEP,
        dry_run: bool = True,
        frame: Frame | None = None,
        on_progress: OnProgress | None = None,
        **account: Unpack[AccountOptions],
    ) -> UndoReport:
        """Take back what a run wrote, where nothing has happened since: a plan with the earlier values.

        Each contact is read back first. A field stays as it is if DailyStory no longer has the value that the run
        wrote, or if the source still gives that value, or gives a third one. After an undo a plain run sends nothing,
        except what the source asks for since.

        Args:
            run_id: The run, from `runs()` or from Dagster.
            base_url: The data centre's URL, `https://us-1.dailystory.com/api/v1`.
            api_token: From Account Settings > API Tokens.
            created: What happens to contacts that the run created and whose rows left the source: `keep`, `deactivate`
                or `delete`.
            dry_run: Show what would be taken back, and send nothing. The history and the contacts are read.
            frame: The rows of a sync with `FrameSource`.
            on_progress: Called at most once a second while sending.
            **account: Other settings of the account; see `AccountOptions`.

        Returns:
            What was taken back and what was not, by reason; `str()` of it is meant for a terminal.

        Raises:
            ConfigurationError: The history has nothing that the run wrote.
            SafetyError: A guard blocks the undo; nothing was sent.
            DailyStoryError: See the tree in `errors`.
        """
        settings = UndoSettings(run_id, choice(Created, created, "created"), dry_run)
        with with_frame(self._sync, self._warehouse, frame) as warehouse:
            sync = self._read(sync_to_undo, settings)
            with open_run(sync, warehouse, AccountSettings(base_url, api_token, **account)) as run:
                return run.undo(self._sync, settings, on_progress)

    @named_settings
    def copy_to(self, *, state_url: str, state_schema: str | None = None) -> CopyReport:
        """Copy the sync to another state database: PostgreSQL, DuckDB or SQLite. Each row is read back and compared.

        This is a backup: the sync goes on here. Two states of one sync would each send what the other one has sent, so
        use `move_to` if the sync is to go on there.

        Args:
            state_url: SQLAlchemy URL of the other database.
            state_schema: Schema of its state tables.

        Raises:
            BusyError: A run holds the sync, here or there.
            StateError: The other state has the sync already, or belongs to another destination.
        """
        return self._copy(state_url, state_schema, moves=False)

    @named_settings
    def move_to(self, *, state_url: str, state_schema: str | None = None) -> CopyReport:
        """Move the sync to another state database: copy it as `copy_to` does, and let no further run use it here.

        Set `state_url` of the sync to the other database before its next run. The state here can still be read; `drop`
        removes the sync from it. Arguments and errors are those of `copy_to`.
        """
        return self._copy(state_url, state_schema, moves=True)

    def _copy(self, state_url: str, state_schema: str | None, *, moves: bool) -> CopyReport:
        require_folder(checked_url(state_url, "state_url"), "state_url")
        target = StateLocation(state_url, state_schema)
        with open_session(self._sync, self._warehouse.state) as (state, lease):
            return copy_state(state, lease, target, self._warehouse.url, moves=moves)

    def rename(self, new_name: str) -> None:
        """Give the sync another name in its state. Change its name in your definitions before the next run.

        Args:
            new_name: The new name, `[a-z][a-z0-9_]{0,30}`.

        Raises:
            BusyError: A run holds the sync.
            StateError: The state has a sync of that name.
        """
        with open_session(self._sync, self._warehouse.state) as (state, lease):
            rename_sync(state, lease, new_name)

    @named_settings
    def drop(self, *, confirm: str) -> int:
        """Remove the sync's tables, plans and runs from its state; DailyStory's contacts stay as they are.

        A later run under this name would begin with a first load. Other syncs of the state may delete the contacts
        that this one had.

        Args:
            confirm: The name of the sync.

        Returns:
            How many keys were mapped to a contact.

        Raises:
            ConfigurationError: `confirm` is another name.
            BusyError: A run holds the sync.
            StateError: A test contact of an examination is still to be deleted.
        """
        if confirm != self._sync.name:
            raise ConfigurationError(f"drop removes the state of sync {self._sync.name!r}; confirm it by that name")
        with open_session(self._sync, self._warehouse.state, drops=True) as (state, lease):
            return drop_sync(state, lease)

    def forget(
        self,
        keys: Sequence[object],
        *,
        base_url: str | None = None,
        api_token: str | None = None,
        delete_in_dailystory: bool = False,
        **account: Unpack[AccountOptions],
    ) -> ForgetReceipt:
        """Forget rows: remove them from every table of the state, and keep them out.

        A row that returns, by its key, its email or its mobile number, is rejected as `forgotten`; nothing is sent for
        it. This cannot be undone. docs/how-to/forgetting.md says what remains.

        Args:
            keys: The keys; the parts of a composite one are joined by `|`, or are a tuple.
            base_url: The data centre's URL; needed to delete contacts.
            api_token: From Account Settings > API Tokens.
            delete_in_dailystory: Delete the contacts of these keys too. DailyStory only marks them as deleted.
            **account: Other settings of the account; see `AccountOptions`.

        Returns:
            What was done and what is left to do, without personal data. `str()` is a text to file.

        Raises:
            BusyError: A run holds the sync, or another sync of the state that has planned to send one of the rows.
            OutageError: Not all contacts could be deleted; nothing was removed from the state, and a further call
                does the rest.
            DailyStoryError: See the tree in `errors`; nothing was removed from the state.

        Example:
            ```python
            with open_sync(customers, warehouse_url=warehouse_url) as records:
                print(records.forget(["1001"], base_url=base_url, api_token=api_token, delete_in_dailystory=True))
            ```
        """
        settings = None
        if delete_in_dailystory:
            if base_url is None or api_token is None:
                raise ConfigurationError("delete_in_dailystory needs base_url and api_token")
            settings = AccountSettings(base_url, api_token, **account)
        return forget_rows(self._sync, self._warehouse.state, chosen_keys(keys), settings)

    def export_forgotten(self) -> list[ForgottenHash]:
        """The requests to forget rows, of all syncs of the state, as keyed hashes: to repeat them on a backup."""
        with open_state(self._warehouse.state, self._sync, writes=False) as state, state.connection.begin():
            return export_forgotten(state)

    def apply_forgotten(self, requests: Sequence[ForgottenHash]) -> int:
        """Repeat requests on a restored backup of the state; call it for each sync.

        Args:
            requests: From `export_forgotten`, before the backup was restored.

        Returns:
            How many keys were removed from the sync's tables.

        Raises:
            StateError: They are of another state.
            BusyError: A run holds a sync of the state.
        """
        with open_session(self._sync, self._warehouse.state) as (state, lease):
            return apply_forgotten(state, lease, requests)

    def _read(self, view: Callable[Concatenate[State, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        with open_state(self._warehouse.state, self._sync, writes=False) as state:
            return view(state, *args, **kwargs)


@contextmanager
@named_settings
def open_sync(
    sync: ContactSync, *, warehouse_url: str, state_url: str | None = None, state_schema: str | None = None
) -> Iterator[SyncRecords]:
    """Open a sync to look at what it holds and what it did.

    Args:
        sync: The sync.
        warehouse_url: SQLAlchemy URL of the warehouse.
        state_url: SQLAlchemy URL of the state database; None if the state is in the warehouse.
        state_schema: Schema of the state tables.

    Raises:
        DailyStoryError: The state cannot be opened; see the tree in `errors`.

    Example:
        ```python
        with open_sync(customers, warehouse_url="postgresql+psycopg://sync@warehouse/analytics") as records:
            contacts = records.contact_map()
        ```
    """
    warehouse = Warehouse.at(warehouse_url, state_url, state_schema, sync=sync)
    if state_url is not None:  # opening it would make an empty one, which knows of nothing
        require_file(checked_url(state_url, "state_url"), "state_url")
    with open_state(warehouse.state, sync, writes=False):
        pass
    yield SyncRecords(sync, warehouse)
