//! Pseudo-terminals: the node's end of a container's terminal.

use rustix::io::Errno;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::Winsize;
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::net::unix::pipe;

/// The master of a pseudo-terminal; clones share it.
#[derive(Debug, Clone)]
pub struct Terminal {
    // A terminal is read and written like a pair of pipes, which tokio has safe types for.
    output: Arc<pipe::Receiver>,
    input: Arc<pipe::Sender>,
    master: Arc<OwnedFd>,
    device: PathBuf,
}

impl Terminal {
    /// A new terminal, 80 by 24 until somebody says otherwise.
    pub fn open() -> io::Result<Self> {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
        grantpt(&master)?;
        unlockpt(&master)?;
        let device = ptsname(&master, Vec::new())?;
        let device = PathBuf::from(device.to_string_lossy().into_owned());
        rustix::io::ioctl_fionbio(&master, true)?;
        let terminal = Self {
            output: Arc::new(pipe::Receiver::from_owned_fd_unchecked(
                master.try_clone()?,
            )?),
            input: Arc::new(pipe::Sender::from_owned_fd_unchecked(master.try_clone()?)?),
            master: Arc::new(master),
            device,
        };
        terminal.resize(80, 24);
        Ok(terminal)
    }

    /// The other end's path.
    pub fn device(&self) -> &Path {
        &self.device
    }

    /// Tells programs the window's size; a terminal that has gone does not care.
    pub fn resize(&self, columns: u16, rows: u16) {
        let size = Winsize {
            ws_row: rows,
            ws_col: columns,
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        let _ = rustix::termios::tcsetwinsize(&*self.master, size);
    }

    /// Ctrl-Z is a character like any other.
    pub(crate) fn without_suspend(&self) {
        use rustix::termios::{OptionalActions, SpecialCodeIndex, tcgetattr, tcsetattr};
        if let Ok(mut modes) = tcgetattr(&*self.master) {
            modes.special_codes[SpecialCodeIndex::VSUSP] = 0;
            // A terminal that refuses keeps its Ctrl-Z, which is no reason not to start.
            let _ = tcsetattr(&*self.master, OptionalActions::Now, &modes);
        }
    }

    /// Reads output. The end of the last program is an `EIO` here, which is an end like any other.
    pub async fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            self.output.readable().await?;
            match self.output.try_read(buffer) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) if error.raw_os_error() == Some(Errno::IO.raw_os_error()) => {
                    return Ok(0);
                }
                other => return other,
            }
        }
    }

    /// Writes input.
    pub async fn write_all(&self, mut input: &[u8]) -> io::Result<()> {
        while !input.is_empty() {
            self.input.writable().await?;
            match self.input.try_write(input) {
                Ok(written) => input = input.get(written..).unwrap_or_default(),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Ends the input: the terminal's end-of-file character.
    pub async fn end_input(&self) -> io::Result<()> {
        self.write_all(&[4]).await
    }
}
