CREATE OR REPLACE VIEW pipeline
(
    `Time` DateTime('UTC') COMMENT 'End of the interval of 10 seconds in which it was counted; for messages that could not be parsed, when Kafka received them',
    `Instance` String COMMENT 'The collector or agent; empty for what ClickHouse counts',
    `Stage` Enum8('' = 0, 'exporter' = 1, 'network' = 2, 'kernel' = 3, 'allow-list' = 4, 'decoder' = 5, 'limits' = 6, 'queue' = 7, 'ClickHouse' = 8) COMMENT 'Where it happened, in the order in which a flow gets there',
    `Outcome` Enum8('' = 0, 'passed' = 1, 'lost' = 2) COMMENT 'passed: handed on to the next stage',
    `Reason` String COMMENT 'Why it was lost; empty for what was passed on',
    `Amount` Float64 COMMENT 'How many in the interval; negative where what had been counted as lost came after all',
    `Unit` String COMMENT 'What is counted: datagrams, records, sets, flows, packets, messages',
    `Exporter` String COMMENT 'Address of the exporter, empty where it is not known',
    `Protocol` String COMMENT 'sflow, netflow5, netflow9, ipfix; nflog, conntrack, mirror of agents; empty where it is not known',
    `Topic` String COMMENT 'Kafka topic, in queue and ClickHouse',
    `Metric` String COMMENT 'Metric that counts it, empty for what ClickHouse counts'
)
AS
WITH
    -- Stage, outcome, reason, unit and sign of each metric that counts what passes or is lost.
    -- {label} stands for the value of a label. A filter on what is made of this may be asked for
    -- other metrics before they are left out: those have the empty stage and outcome.
    [
        'netmeta_exporter_unsampled_packets_total', 'netmeta_exporter_lost_total', 'netmeta_exporter_late_total',
        'netmeta_exporter_missed_while_down_total', 'netmeta_listen_datagrams_total', 'netmeta_listen_kernel_drops_total',
        'netmeta_exporter_datagrams_total', 'netmeta_collect_refused_datagrams_total', 'netmeta_exporter_records_total',
        'netmeta_decode_errors_total', 'netmeta_exporter_held_sets_total', 'netmeta_exporter_limited_flows_total',
        'netmeta_queue_flows_acknowledged_total', 'netmeta_queue_flows_dropped_total', 'netmeta_retention_dropped_flows_total',
        'netmeta_agent_kernel_drops_total', 'netmeta_agent_conntrack_missed_ends_total', 'netmeta_records_total'
    ] AS metrics,
    [
        ('exporter', 'lost', 'agent could not sample', 'packets', 1), ('network', 'lost', 'missing in sequence numbers', '{unit}', 1), ('network', 'lost', 'came late', '{unit}', -1),
        ('network', 'lost', 'no collector was running', '{unit}', 1), ('kernel', 'passed', '', 'datagrams', 1), ('kernel', 'lost', 'socket buffer full', 'datagrams', 1),
        ('allow-list', 'passed', '', 'datagrams', 1), ('allow-list', 'lost', 'not in --allow', 'datagrams', 1), ('decoder', 'passed', '', 'flows', 1),
        ('decoder', 'lost', '{reason}', 'records', 1), ('decoder', 'lost', 'template {outcome}', 'sets', 1), ('limits', 'lost', 'above the limit of the exporter', 'flows', 1),
        ('queue', 'passed', '', 'flows', 1), ('queue', 'lost', '{reason}', 'flows', 1), ('ClickHouse', 'lost', 'dropped early: {reason}', 'flows', 1),
        ('kernel', 'lost', 'agent did not read fast enough', 'packets', 1), ('kernel', 'lost', 'ends of connections', 'flows', 1), ('decoder', 'passed', '', 'flows', 1)
    ] AS meanings,
    counted AS
    (
        -- Kafka may deliver a message twice.
        SELECT DISTINCT
            Time, Instance, Started, Metric, Labels, Value, Increase,
            meanings[indexOf(metrics, Metric)] AS meaning
        FROM pipeline_counters
        WHERE Metric IN (metrics) AND Increase != 0
            AND NOT (Metric = 'netmeta_exporter_held_sets_total' AND Labels['outcome'] = 'released')
            -- Held sets count these too, as refused.
            AND NOT (Metric = 'netmeta_decode_errors_total' AND Labels['reason'] = 'unknown_template')
            -- What agents read; what exporters send is counted by exporter.
            AND NOT (Metric = 'netmeta_records_total' AND Labels['protocol'] NOT IN ('nflog', 'conntrack', 'mirror'))
    )
SELECT
    counted.Time AS Time,
    toString(counted.Instance) AS Instance,
    counted.meaning.1 AS Stage,
    counted.meaning.2 AS Outcome,
    replaceAll(replaceAll(counted.meaning.3, '{reason}', counted.Labels['reason']), '{outcome}', counted.Labels['outcome']) AS Reason,
    counted.meaning.5 * counted.Increase AS Amount,
    replaceAll(counted.meaning.4, '{unit}', counted.Labels['unit']) AS Unit,
    counted.Labels['exporter'] AS Exporter,
    if(counted.Labels['protocol'] = '', counted.Labels['source'], counted.Labels['protocol']) AS Protocol,
    counted.Labels['topic'] AS Topic,
    toString(counted.Metric) AS Metric
FROM counted
UNION ALL
SELECT
    flows_errors.TimeReceived, '', 'ClickHouse', 'lost', 'not readable', 1, 'messages', '', '', toString(flows_errors.Topic), ''
FROM flows_errors
COMMENT 'What collectors, agents and ClickHouse passed on and lost, by stage and reason: one row for each count in an interval of 10 seconds. What the kernel lost is missing in the sequence numbers of exporters too, so network has it as well'
