"""What is known of each treated site and its MRIs, worked out once and handed on."""
