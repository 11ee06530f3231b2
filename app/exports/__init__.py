"""What leaves Pleura with a film's answer: pictures, a page to print, DICOM objects, a table.

Every one of them names the model, the beginning of its hash, and that it is for research only. DICOM objects and pages
are made by libraries that take a second to import: `catalogue` imports their modules when they are asked for.
"""
