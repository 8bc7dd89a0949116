-- squawk-ignore-file require-concurrent-index-deletion
-- Its work is done by orders_open_page_idx. The runner's transaction and its lock timeout bound the wait.
DROP INDEX IF EXISTS orders_open_idx;
