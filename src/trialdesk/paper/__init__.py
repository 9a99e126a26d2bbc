"""What is printed: labels, cards and shipment papers as PDF, from plain values and typst templates."""
