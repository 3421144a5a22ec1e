"""Every metric that ``/rmon`` serves: its name, type and help; one literal table.

No name says "received": whether a device counts what came in or both ways is found out and told by
``rmon_ether_direction_info``. Units are Prometheus' base units: octets are ``_bytes``, hundredths
of a percent are ``_ratio``, ticks are ``_seconds``.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from exporters.metrics.exposition import Exposition
from exporters.metrics.text import FamilyType, format_value, label_text

_C: Final = FamilyType.COUNTER
_G: Final = FamilyType.GAUGE

FAMILIES: Final[Mapping[str, tuple[FamilyType, str]]] = MappingProxyType(
    {
        # statistics
        "rmon_ether_info": (_G, "A row of etherStatsTable, and what it watches."),
        "rmon_ether_direction_info": (
            _G,
            "Which way the device counts: in, both or unknown, for packets and for size classes.",
        ),
        "rmon_ether_drop_events_total": (_C, "Times that the probe ran short; not packets."),
        "rmon_ether_dropped_frames_total": (_C, "Frames that the probe did not count."),
        "rmon_ether_create_timestamp_seconds": (_G, "When the row's counters began at 0."),
        "rmon_ether_bytes_total": (_C, "Octets with those of bad frames and the FCS."),
        "rmon_ether_packets_total": (_C, "Packets with bad, broadcast and multicast ones."),
        "rmon_ether_broadcast_packets_total": (_C, "Good broadcast packets."),
        "rmon_ether_multicast_packets_total": (_C, "Good multicast packets without broadcasts."),
        "rmon_ether_irregular_packets_total": (
            _C,
            "Packets of a wrong length or checksum, in classes that do not overlap.",
        ),
        "rmon_ether_collisions_total": (_C, "Best estimate of the collisions."),
        "rmon_ether_size_packets_total": (_C, "Packets by their length in octets."),
        "rmon_media_packets_total": (_C, "Packets of a full-duplex interface, by direction."),
        "rmon_media_bytes_total": (_C, "Octets of a full-duplex interface, by direction."),
        "rmon_media_nonunicast_packets_total": (_C, "Packets to more than one, by direction."),
        "rmon_media_errors_total": (_C, "Errors, by direction."),
        "rmon_media_dropped_frames_total": (_C, "Frames that the probe did not count."),
        "rmon_media_drop_events_total": (_C, "Times that the probe ran short; not packets."),
        "rmon_media_speed_bytes_per_second": (_G, "Speed of the interface, by direction."),
        "rmon_media_full_duplex": (_G, "Whether both ends may send at once."),
        "rmon_media_duplex_changes_total": (_C, "Times that the duplex mode changed."),
        # history
        "rmon_history_info": (_G, "A row of historyControlTable, and what it watches."),
        "rmon_history_interval_seconds": (_G, "How long a bucket is."),
        "rmon_history_buckets_granted": (_G, "How many buckets the device keeps."),
        "rmon_history_sample_index": (_G, "Number of the newest complete bucket."),
        "rmon_history_bucket_end_timestamp_seconds": (_G, "When the newest bucket ended."),
        "rmon_history_bucket_packets": (_G, "Packets in the newest bucket."),
        "rmon_history_bucket_bytes": (_G, "Octets in the newest bucket."),
        "rmon_history_bucket_broadcast_packets": (_G, "Broadcast packets in the newest bucket."),
        "rmon_history_bucket_multicast_packets": (_G, "Multicast packets in the newest bucket."),
        "rmon_history_bucket_irregular_packets": (_G, "Irregular packets in the newest bucket."),
        "rmon_history_bucket_collisions": (_G, "Collisions in the newest bucket."),
        "rmon_history_bucket_drop_events": (_G, "Times the probe ran short in the bucket."),
        "rmon_history_utilization_ratio": (
            _G,
            "Utilization of the newest bucket, as the device says and as computed.",
        ),
        "rmon_history_utilization_peak_ratio": (
            _G,
            "Highest computed utilization of the buckets that ended within the peak window.",
        ),
        "rmon_history_overflow_suspect": (
            _G,
            "Whether octets of the newest bucket may have wrapped, and so are not served.",
        ),
        "rmon_history_packets_total": (_C, "Packets of all buckets since the first scrape."),
        "rmon_history_bytes_total": (_C, "Octets of all buckets since the first scrape."),
        "rmon_history_broadcast_packets_total": (_C, "Broadcast packets of all buckets."),
        "rmon_history_multicast_packets_total": (_C, "Multicast packets of all buckets."),
        "rmon_history_irregular_packets_total": (_C, "Irregular packets of all buckets."),
        "rmon_history_collisions_total": (_C, "Collisions of all buckets."),
        "rmon_history_drop_events_total": (_C, "Times the probe ran short, of all buckets."),
        "rmon_history_buckets_total": (_C, "Buckets that were read since the first scrape."),
        "rmon_history_buckets_missed_total": (_C, "Buckets gone before they could be read."),
        "rmon_history_restarts_total": (_C, "Times that the buckets began anew."),
        "rmon_history_dropped_frames_total": (_C, "Frames that the probe did not count."),
        # alarms
        "rmon_alarm_info": (_G, "An alarm: what it samples, and how."),
        "rmon_alarm_value": (_G, "What the alarm sampled last."),
        "rmon_alarm_rising_threshold": (_G, "The value that fires when it is reached rising."),
        "rmon_alarm_falling_threshold": (_G, "The value that fires when it is reached falling."),
        "rmon_alarm_interval_seconds": (_G, "How often the alarm samples."),
        "rmon_alarm_status": (_G, "State of the row: 1 valid, 4 invalid (active is 1 too)."),
        "rmon_alarm_over_threshold": (_G, "Whether the value is at or above the rising threshold."),
        "rmon_alarm_failed_samples_total": (_C, "Samples that the agent could not take."),
        "rmon_alarm_state": (_G, "State of the alarm as Juniper devices tell it, by number."),
        "rmon_alarm_unwired": (_G, "Whether no event that exists would follow from the alarm."),
        "rmon_alarm_lint": (_G, "What is wrong with the configuration of an alarm."),
        # events
        "rmon_event_info": (_G, "An event that has fired."),
        "rmon_event_last_fired_timestamp_seconds": (_G, "When the event fired last."),
        "rmon_event_log_entries_total": (_C, "Log entries that the event ever made."),
        "rmon_event_log_retained": (_G, "Log entries of the event that the device still has."),
        "rmon_events_configured": (_G, "Rows of eventTable."),
        # hosts and matrix
        "rmon_host_table_size": (_G, "Hosts that the device knows on an interface."),
        "rmon_host_packets_total": (_C, "Packets of the hosts with the most octets."),
        "rmon_host_bytes_total": (_C, "Octets of the hosts with the most octets."),
        "rmon_host_top_packets_per_second": (_G, "Rates of a device's own hostTopN report."),
        "rmon_host_top_bytes_per_second": (_G, "Rates of a device's own hostTopN report."),
        "rmon_matrix_table_size": (_G, "Pairs of hosts that the device knows on an interface."),
        "rmon_matrix_packets_total": (_C, "Packets of the pairs with the most octets."),
        "rmon_matrix_bytes_total": (_C, "Octets of the pairs with the most octets."),
        "rmon_rows_not_shown": (_G, "Rows that were read and are not among those shown."),
        # filter and capture
        "rmon_channel_matches_total": (_C, "Packets that a channel has let through."),
        "rmon_channel_enabled": (_G, "Whether a channel is on."),
        "rmon_buffer_captured_packets": (_G, "Packets in a capture buffer."),
        "rmon_buffer_full": (_G, "Whether a capture buffer is full."),
        # RMON2
        "rmon_probe_info": (_G, "What the probe says of its software and hardware."),
        "rmon2_protocol_packets_total": (_C, "Packets by protocol; parents hold their children."),
        "rmon2_protocol_bytes_total": (_C, "Octets by protocol; parents hold their children."),
        "rmon2_protocol_dropped_frames_total": (_C, "Frames that were not distributed."),
        "rmon2_address_map_entries": (_G, "Addresses that the probe has mapped."),
        "rmon2_address_map_inserts_total": (_C, "Addresses that were mapped."),
        "rmon2_address_map_deletes_total": (_C, "Mappings that were given up."),
        "rmon2_host_table_size": (_G, "Network and application hosts that the probe knows."),
        "rmon2_host_dropped_frames_total": (_C, "Frames that no host table counted."),
        "rmon2_matrix_table_size": (_G, "Conversations that the probe knows."),
        "rmon2_matrix_dropped_frames_total": (_C, "Frames that no matrix table counted."),
        "rmon2_host_packets_total": (_C, "Packets of the network hosts with the most octets."),
        "rmon2_host_bytes_total": (_C, "Octets of the network hosts with the most octets."),
        "rmon2_conversation_packets_total": (_C, "Packets of the largest conversations."),
        "rmon2_conversation_bytes_total": (_C, "Octets of the largest conversations."),
        "rmon2_conversation_top_packets_per_second": (_G, "Rates of a device's own report."),
        "rmon2_conversation_top_bytes_per_second": (_G, "Rates of a device's own report."),
        "rmon2_conversation_reports_total": (_C, "Reports that the device has made."),
        "rmon_user_history_value": (_G, "What a user history has in its newest bucket."),
        "rmon_user_history_end_timestamp_seconds": (_G, "When that bucket ended."),
        "rmon_user_history_interval_seconds": (_G, "How long its buckets are."),
        # SMON, interfaceTopN
        "rmon_vlan_packets_total": (_C, "Good packets of a VLAN."),
        "rmon_vlan_bytes_total": (_C, "Octets of good packets of a VLAN."),
        "rmon_vlan_nonunicast_packets_total": (_C, "Good packets to more than one."),
        "rmon_vlan_nonunicast_bytes_total": (_C, "Octets of good packets to more than one."),
        "rmon_priority_packets_total": (_C, "Packets of a priority, 0 to 7."),
        "rmon_priority_bytes_total": (_C, "Octets of a priority, 0 to 7."),
        "rmon_mirror_session": (_G, "A port whose packets are copied to another."),
        "rmon_mirror_dest_drop_events_total": (_C, "Copies lost at the mirror port."),
        "rmon_interface_top_value": (_G, "A device's own report of its top interfaces."),
        "rmon_interface_top_completed_timestamp_seconds": (_G, "When that report was made."),
        # token ring
        "rmon_token_ring_packets_total": (_C, "Packets of a ring: its own (mac) and data."),
        "rmon_token_ring_bytes_total": (_C, "Octets of a ring: of its own packets and of data."),
        "rmon_token_ring_drop_events_total": (_C, "Times that the probe ran short; not packets."),
        "rmon_token_ring_broadcast_packets_total": (_C, "Good broadcast packets of data."),
        "rmon_token_ring_multicast_packets_total": (_C, "Good multicast packets of data."),
        "rmon_token_ring_beacon_seconds_total": (_C, "Time that the ring was beaconing."),
        "rmon_token_ring_events_total": (_C, "What happened to the ring, by kind."),
        "rmon_token_ring_errors_total": (_C, "Errors that stations have reported, by kind."),
        "rmon_token_ring_size_packets_total": (_C, "Packets of data by their length in octets."),
        # all of it
        "rmon_capability": (_G, "What the device supports and what is configured, by group."),
        "rmon_data_quality": (_G, "Findings of each check of what the device answered."),
        "rmon_decode_unexpected_total": (_C, "Cells and columns that no RMON MIB knows."),
        "rmon_uptime_seconds": (_G, "Time since the device's start, counted on when it wraps."),
        "rmon_boot_timestamp_seconds": (_G, "When the device started."),
    }
)


class Samples:
    """The samples of one scrape, by family."""

    def __init__(self) -> None:
        self._lines: dict[str, list[str]] = {}
        self._label_texts: dict[tuple[tuple[str, str], ...], str] = {}
        """Most labels are those of a row, which has many samples."""

    def add(self, name: str, labels: Mapping[str, str], value: float | None) -> None:
        """Add a sample; what has no value gets none.

        Raises:
            KeyError: There is no such family.
        """
        if value is None:
            return
        if name not in FAMILIES:
            raise KeyError(name)
        pairs = tuple(labels.items())
        text = self._label_texts.get(pairs)
        if text is None:
            text = self._label_texts[pairs] = label_text(sorted(pairs))
        self._lines.setdefault(name, []).append(f"{name}{text} {format_value(value)}\n")

    def write(self, exposition: Exposition) -> None:
        """Hand all samples over."""
        for name, lines in self._lines.items():
            kind, help_text = FAMILIES[name]
            exposition.add(name, kind, help_text, lines, unique=False)
