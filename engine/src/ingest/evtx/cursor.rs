//! Reads a chunk from one place on; nothing where it ends too early.

/// A place in a chunk. Offsets inside of a chunk are counted from its beginning.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cursor<'d> {
    pub(super) data: &'d [u8],
    pub(super) at: usize,
}

impl<'d> Cursor<'d> {
    pub(super) fn take(&mut self, length: usize) -> Option<&'d [u8]> {
        let end = self.at.checked_add(length)?;
        let taken = self.data.get(self.at..end)?;
        self.at = end;
        Some(taken)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }

    pub(super) fn u8(&mut self) -> Option<u8> {
        self.array::<1>().map(|[byte]| byte)
    }

    pub(super) fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_le_bytes)
    }

    pub(super) fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }

    pub(super) fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_le_bytes)
    }

    pub(super) fn peek(&self) -> Option<u8> {
        self.data.get(self.at).copied()
    }

    /// The beginning of a piece of binary XML, in the one version that there is.
    pub(super) fn fragment(&mut self) -> Option<()> {
        (self.array()? == [0x0f, 1, 1, 0]).then_some(())
    }

    /// A number that says where something is. What is used for the first time follows right there; then it is true.
    pub(super) fn reference(&mut self) -> Option<(usize, bool)> {
        let at = usize::try_from(self.u32()?).ok()?;
        Some((at, at == self.at))
    }
}
