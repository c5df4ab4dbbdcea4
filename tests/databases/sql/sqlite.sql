ALTER TABLE dailystory_customers_changes ADD COLUMN "differs_field_lastName" BOOLEAN;

ALTER TABLE dailystory_customers_changes ADD COLUMN "field_lastName";

ALTER TABLE dailystory_customers_snapshot ADD COLUMN "field_lastName";

CREATE INDEX dailystory_customers_contact_map_759c46fa ON dailystory_customers_contact_map (dsid);

CREATE INDEX dailystory_customers_judged_sequence ON dailystory_customers_judged (sequence);

CREATE INDEX dailystory_customers_pending_customer_id ON dailystory_customers_pending (customer_id);

CREATE INDEX dailystory_customers_pending_sequence ON dailystory_customers_pending (sequence);

CREATE INDEX dailystory_customers_rejections_9a0e715d ON dailystory_customers_rejections (customer_id);

CREATE INDEX dailystory_customers_snapshot_55a2a2ee ON dailystory_customers_snapshot (identity_mobile);

CREATE INDEX dailystory_customers_snapshot_906ac4cb ON dailystory_customers_snapshot (partition_value, customer_id) WHERE partition_value IS NOT NULL;

CREATE INDEX dailystory_customers_snapshot_b33e3ec5 ON dailystory_customers_snapshot (identity_email);

CREATE INDEX dailystory_customers_snapshot_b776f494 ON dailystory_customers_snapshot (absent_since) WHERE absent_since IS NOT NULL;

CREATE TABLE dailystory_customers_adoption (
	customer_id  NOT NULL,
	outcome TEXT,
	dsid TEXT,
	differing TEXT,
	looked_up_at DATETIME
);

CREATE TABLE dailystory_customers_changes (
	plan_id TEXT NOT NULL,
	sequence BIGINT NOT NULL,
	customer_id ,
	operation TEXT,
	partition_value TEXT,
	identity_email TEXT,
	identity_mobile TEXT,
	is_new BOOLEAN,
	replaces BOOLEAN,
	identity_changed BOOLEAN,
	rekeyed BOOLEAN,
	reactivates BOOLEAN,
	absent_action TEXT,
	deleted_in_dailystory BOOLEAN,
	dsid TEXT,
	priority BIGINT,
	waits_for BIGINT,
	field_email ,
	"field_firstName" ,
	field_city ,
	custom_plan ,
	differs_field_email BOOLEAN,
	"differs_field_firstName" BOOLEAN,
	differs_field_city BOOLEAN,
	differs_custom_plan BOOLEAN,
	dropped_fields TEXT,
	outcome TEXT,
	reason TEXT,
	message TEXT,
	attempts BIGINT,
	answered_at DATETIME,
	PRIMARY KEY (plan_id, sequence)
);

CREATE TABLE dailystory_customers_contact_map (
	customer_id  NOT NULL,
	dsid TEXT NOT NULL,
	first_synced_at DATETIME,
	last_synced_at DATETIME,
	deactivated_at DATETIME,
	deleted_at DATETIME,
	deleted_in_dailystory_at DATETIME,
	PRIMARY KEY (customer_id)
);

CREATE TABLE dailystory_customers_hash_sums (
	key_bucket BIGINT,
	hashes BIGINT,
	high BIGINT,
	low BIGINT
);

CREATE TABLE dailystory_customers_history (
	customer_id  NOT NULL,
	plan_id TEXT,
	run_id TEXT,
	dsid TEXT,
	operation TEXT,
	outcome TEXT,
	"before" TEXT,
	"after" TEXT,
	acknowledged_at DATETIME
);

CREATE TABLE dailystory_customers_intents (
	customer_id  NOT NULL,
	email_as_sent TEXT,
	mobile_as_sent TEXT,
	dsid TEXT,
	plan_id TEXT,
	sequence BIGINT,
	sent_at DATETIME,
	PRIMARY KEY (customer_id)
);

CREATE TABLE dailystory_customers_rejections (
	customer_id ,
	reason TEXT,
	message TEXT,
	fingerprint TEXT,
	partition_value TEXT,
	opts_out BOOLEAN,
	source_rows BIGINT,
	attempts BIGINT,
	first_seen_at DATETIME,
	last_seen_at DATETIME
);

CREATE TABLE dailystory_customers_row_hashes (
	customer_id  NOT NULL,
	row_hash BIGINT,
	key_bucket BIGINT,
	PRIMARY KEY (customer_id)
);

CREATE TABLE dailystory_customers_snapshot (
	customer_id  NOT NULL,
	field_email ,
	"field_firstName" ,
	field_city ,
	custom_plan ,
	identity_email TEXT,
	identity_mobile TEXT,
	partition_value TEXT,
	resend_all BOOLEAN,
	unknown_fields TEXT,
	empty_fields TEXT,
	kept_fields TEXT,
	absent_since DATETIME,
	absent_action TEXT,
	acknowledged_plan BIGINT,
	only_mapped BOOLEAN,
	identity_email_hash TEXT,
	identity_mobile_hash TEXT,
	PRIMARY KEY (customer_id)
);

CREATE TABLE dailystory_forgotten (
	sync_name TEXT NOT NULL,
	kind TEXT NOT NULL,
	hash TEXT NOT NULL,
	forgotten_at DATETIME NOT NULL,
	PRIMARY KEY (sync_name, hash)
);

CREATE TABLE dailystory_meta (
	name TEXT NOT NULL,
	value TEXT,
	holder TEXT,
	fence BIGINT,
	heartbeat_at DATETIME,
	run_id TEXT,
	taken_at DATETIME,
	PRIMARY KEY (name)
);

CREATE TABLE dailystory_plans (
	plan_id TEXT NOT NULL,
	sync_name TEXT,
	partition_value TEXT,
	run_id TEXT,
	scope TEXT,
	options TEXT,
	mapping_version TEXT,
	destination TEXT,
	status TEXT,
	guards TEXT,
	changes_by_field TEXT,
	rejections_by_reason TEXT,
	settings TEXT,
	fields_dropped TEXT,
	new_custom_fields TEXT,
	opt_outs_waiting TEXT,
	compared TEXT,
	compared_why TEXT,
	superseded_by TEXT,
	approved_by TEXT,
	canary_found TEXT,
	canary_accepted_by TEXT,
	number BIGINT,
	rows_read BIGINT,
	rows_unchanged BIGINT,
	rows_to_create BIGINT,
	rows_to_update BIGINT,
	rows_to_delete BIGINT,
	opt_outs_to_send BIGINT,
	opt_outs_ahead BIGINT,
	opt_outs_pending BIGINT,
	rows_rejected BIGINT,
	rows_held BIGINT,
	rows_delete_skipped_shared BIGINT,
	rows_transferred BIGINT,
	keys_transferred BIGINT,
	bytes_read BIGINT,
	live_keys BIGINT,
	whole_source BOOLEAN,
	first_load BOOLEAN,
	diff_seconds FLOAT,
	created_at DATETIME,
	expires_at DATETIME,
	approved_at DATETIME,
	sent_at DATETIME,
	finished_at DATETIME,
	left_priority BIGINT,
	left_sequence BIGINT,
	PRIMARY KEY (plan_id)
);

CREATE TABLE dailystory_rate (
	destination TEXT NOT NULL,
	requests_per_second FLOAT,
	ceiling FLOAT,
	is_ramping BOOLEAN,
	paused_until FLOAT,
	lowered_at FLOAT,
	stepped_at FLOAT,
	confirmed_at FLOAT,
	version BIGINT,
	next_at FLOAT,
	seen_at FLOAT,
	counted_from FLOAT,
	sent BIGINT,
	sent_before BIGINT,
	refused BIGINT,
	refused_before BIGINT,
	PRIMARY KEY (destination)
);

CREATE TABLE dailystory_runs (
	run_id TEXT,
	plan_id TEXT,
	sync_name TEXT,
	partition_value TEXT,
	outcome TEXT,
	stopped_by TEXT,
	started_at DATETIME,
	finished_at DATETIME,
	opt_outs_pending BIGINT,
	rows_delete_skipped_shared BIGINT,
	rows_created BIGINT,
	rows_updated BIGINT,
	rows_deleted BIGINT,
	rows_mapped BIGINT,
	rows_matched BIGINT,
	opt_outs_sent BIGINT,
	rows_refused BIGINT,
	rows_failed BIGINT,
	rows_unsent BIGINT,
	rows_in_doubt BIGINT,
	rows_conflicted BIGINT,
	rows_deleted_in_dailystory BIGINT,
	rows_skipped BIGINT,
	rows_delete_waiting BIGINT,
	rows_delete_returned BIGINT,
	api_requests BIGINT,
	api_retries BIGINT,
	api_throttled BIGINT,
	send_seconds FLOAT
);
