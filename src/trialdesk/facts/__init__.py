"""What one pull says, derived once: every sheet, list and calendar reads these facts and computes none of its own."""
