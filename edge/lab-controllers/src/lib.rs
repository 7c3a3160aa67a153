//! lab-controllers.
