//! Changing header fields in place. A buffer too short for a field is left as it is.

use crate::read::put;

/// Overwrites the sequence number.
pub fn set_sequence_number(packet: &mut [u8], value: u16) {
    put(packet, 2, &value.to_be_bytes());
}

/// Overwrites the timestamp.
pub fn set_timestamp(packet: &mut [u8], value: u32) {
    put(packet, 4, &value.to_be_bytes());
}

/// Overwrites the SSRC.
pub fn set_ssrc(packet: &mut [u8], value: u32) {
    put(packet, 8, &value.to_be_bytes());
}

/// Overwrites the payload type (its lower seven bits), keeps the marker.
pub fn set_payload_type(packet: &mut [u8], value: u8) {
    if let Some(byte) = packet.get_mut(1) {
        *byte = (*byte & 0x80) | (value & 0x7f);
    }
}

/// Overwrites the marker bit.
pub fn set_marker(packet: &mut [u8], value: bool) {
    if let Some(byte) = packet.get_mut(1) {
        *byte = (*byte & 0x7f) | (u8::from(value) << 7);
    }
}

/// Overwrites the P bit. The padding itself is the caller's business.
pub fn set_padding_bit(packet: &mut [u8], value: bool) {
    if let Some(byte) = packet.first_mut() {
        *byte = (*byte & !0x20) | (u8::from(value) << 5);
    }
}

/// The same edits as methods, to be chained.
#[derive(Debug)]
pub struct RtpPacketMut<'a>(pub &'a mut [u8]);

impl RtpPacketMut<'_> {
    /// See [`set_sequence_number`].
    pub fn sequence_number(&mut self, value: u16) -> &mut Self {
        set_sequence_number(self.0, value);
        self
    }

    /// See [`set_timestamp`].
    pub fn timestamp(&mut self, value: u32) -> &mut Self {
        set_timestamp(self.0, value);
        self
    }

    /// See [`set_ssrc`].
    pub fn ssrc(&mut self, value: u32) -> &mut Self {
        set_ssrc(self.0, value);
        self
    }

    /// See [`set_payload_type`].
    pub fn payload_type(&mut self, value: u8) -> &mut Self {
        set_payload_type(self.0, value);
        self
    }

    /// See [`set_marker`].
    pub fn marker(&mut self, value: bool) -> &mut Self {
        set_marker(self.0, value);
        self
    }

    /// See [`set_padding_bit`].
    pub fn padding_bit(&mut self, value: bool) -> &mut Self {
        set_padding_bit(self.0, value);
        self
    }
}
