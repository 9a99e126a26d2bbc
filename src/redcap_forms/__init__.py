"""A form as a person sees it: one rendering for the preview of instruments and for the pages of the local REDCap.

The fields and their logic become data and JavaScript here; `logic.js.j2`, `form.js.j2` and `form.css` draw them in a
browser. Whoever shows a form gives these scripts a `MODEL`, the logic, and a `HOST` that says where the form stands.
"""
