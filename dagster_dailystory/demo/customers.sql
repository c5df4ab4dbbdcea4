-- One row a customer. definitions.py maps these columns to DailyStory's contact fields and custom fields.
-- A column that is not listed here (last_seen_at) may change as often as it likes: nothing is sent for it.
select
    customer_id,
    email,
    mobile_phone,
    first_name,
    last_name,
    city,
    region,
    postal_code,
    plan,
    lifetime_value,
    signed_up_at,
    marketing_opt_out,
    loyalty_id
from customers
