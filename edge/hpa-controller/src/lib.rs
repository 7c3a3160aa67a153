//! hpa-controller.
