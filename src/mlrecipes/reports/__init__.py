"""What people see: a card as HTML, JSON and text. Records in, text out; nothing is computed."""
