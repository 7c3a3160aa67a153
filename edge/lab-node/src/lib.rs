//! lab-node.
